#!/bin/sh
# A user's program that is built by hand, with what pkg-config says.
#
# pkg_config.sh PKG_CONFIG PREFIX LIBDIR COMPILER VERSION
set -eu
pkg_config=$1 prefix=$2 libdir=$3 compiler=$4 version=$5
export PKG_CONFIG_PATH="$prefix/$libdir/pkgconfig"

test "$("$pkg_config" --modversion sigexc)" = "$version"
flags=$("$pkg_config" --cflags --libs sigexc)
echo "pkg-config says: $flags"

# shellcheck disable=SC2086  # flags are several words
"$compiler" -std=c++20 "$(dirname "$0")/consumer.cpp" -o "$prefix/consumer" $flags
LD_LIBRARY_PATH="$prefix/$libdir" "$prefix/consumer"
