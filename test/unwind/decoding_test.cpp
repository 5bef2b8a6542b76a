// The decoder of instructions, on all the code that this process has: read from its beginning, each
// function has to end where its entry in the unwind tables says.
#include "unwind/function_entry.hpp"
#include "unwind/instruction.hpp"
#include "unwind/table_reader.hpp"

#include <gtest/gtest.h>
#include <link.h>

#include <string>
#include <vector>

namespace sigexc::test {
namespace {

// The functions of a library, from the sorted table in its .eh_frame_hdr.
std::vector<std::uintptr_t> functions_of(std::uintptr_t header) {
  constexpr std::uint8_t relative_to_table = 0x3b;
  detail::table_reader in(header);
  in.skip(1);
  const auto frames = in.byte(), count = in.byte(), table = in.byte();
  in.pointer(frames);
  std::vector<std::uintptr_t> found(in.pointer(count));
  if (table != relative_to_table) return {};
  for (auto& one : found) {
    one = header + static_cast<std::uintptr_t>(std::intptr_t{in.fixed<std::int32_t>()});
    in.skip(4);
  }
  return found;
}

bool is_decoded_to_its_end(std::uintptr_t begin) {
  detail::function_entry function;
  if (!detail::find_function(begin, function)) return false;
  std::uintptr_t at = function.begin;
  while (at < function.end) {
    const auto one = detail::decode(at);
    if (one.what == detail::instruction::kind::unreadable) return false;
    at += one.size;
  }
  return at == function.end;
}

TEST(Decoding, EndsWhereEachFunctionOfTheProcessEnds) {
  int libraries = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* count) {
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          if (info->dlpi_phdr[i].p_type != PT_GNU_EH_FRAME) continue;
          const auto all = functions_of(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
          std::size_t decoded = 0;
          for (const auto begin : all) decoded += is_decoded_to_its_end(begin) ? 1U : 0U;
          EXPECT_EQ(decoded, all.size()) << info->dlpi_name;
          if (decoded > 100) ++*static_cast<int*>(count);
        }
        return 0;
      },
      &libraries);
  EXPECT_GE(libraries, 3);  // this program, and the libraries of C and C++
}

}  // namespace
}  // namespace sigexc::test
