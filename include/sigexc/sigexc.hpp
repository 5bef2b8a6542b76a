// Everything: send a thread an exception, and decide where it may arrive.
#pragma once

#include <sigexc/attach.hpp>
#include <sigexc/bracket.hpp>
#include <sigexc/configure.hpp>
#include <sigexc/diagnose.hpp>
#include <sigexc/exceptions.hpp>
#include <sigexc/foreign.hpp>
#include <sigexc/mask.hpp>
#include <sigexc/posix.hpp>
#include <sigexc/process_signals.hpp>
#include <sigexc/safe_point.hpp>
#include <sigexc/structured.hpp>
#include <sigexc/sync.hpp>
#include <sigexc/target.hpp>
#include <sigexc/testing.hpp>
#include <sigexc/thread.hpp>
#include <sigexc/timeout.hpp>
