// Judges a frame by its tables and, where they name a landing pad, by the pad's code.
//
// Held whatever the tables say: signal frames; personalities other than those of C++ and C, whose
// tables are their own affair; the frames of the dynamic loader, which keeps a lock while it runs
// constructors and destructors of libraries; and exit() and what else runs those destructors.
// glibc's own frames have C cleanups, with a personality and an _Unwind_Resume that glibc keeps to
// itself; they always pass exceptions on.
#include "unwind/frame_verdict.hpp"

#include "unwind/callee.hpp"
#include "unwind/handler_table.hpp"
#include "unwind/landing_pad.hpp"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>

#include <cstdlib>

extern "C" {
void __gxx_personality_v0();
void __gcc_personality_v0();
void __cxa_finalize(void*);
}

namespace sigexc::detail {

namespace {

template <class F>
std::uintptr_t address_of(F* function) noexcept {
  return reinterpret_cast<std::uintptr_t>(function);
}

// The object that `address` lies in, known by its link map.
const void* object_of(std::uintptr_t address) noexcept {
  dl_find_object found;
  if (_dl_find_object(reinterpret_cast<void*>(address), &found) != 0) return nullptr;
  return found.dlfo_link_map;
}

bool is(std::uintptr_t found, std::uintptr_t function) noexcept {
  return found == function || resolve(found) == resolve(function);
}

bool ends_process_or_library(const function_entry& function) noexcept {
  return is(function.begin, address_of(&std::exit)) ||
         is(function.begin, address_of(&std::quick_exit)) ||
         is(function.begin, address_of(&__cxa_finalize)) ||
         object_of(function.begin) == object_of(_r_debug.r_ldbase);
}

fate worse(fate a, fate b) noexcept {
  if (a == fate::dies || b == fate::dies) return fate::dies;
  return a == fate::passes || b == fate::passes ? fate::passes : fate::caught;
}

constexpr int most_pads = 8;  // one leads to another: what resumes inside a try block, and so on

frame_verdict judge_call(const function_entry& function, std::uintptr_t counter,
                         const std::type_info* thrown, int pads) noexcept {
  const call_site site = find_call_site(function, counter, thrown);
  frame_verdict verdict{fate::dies, site.tells_types, false};
  switch (site.what) {
    case call_site::kind::nothing:
      verdict.what = fate::passes;
      return verdict;
    case call_site::kind::uncovered:
    case call_site::kind::specification:
      return verdict;
    case call_site::kind::cleanup:
    case call_site::kind::handler:
      break;
  }
  if (pads == most_pads) return verdict;
  const pad_ends ends = follow_pad(site.pad, site.selector);
  if (ends.may_terminate || ends.is_unreadable) return verdict;
  if (!ends.may_catch && (ends.resume_count == 0 || ends.handler_may_terminate)) return verdict;
  verdict.what = ends.may_throw_on ? fate::passes : fate::caught;
  verdict.may_be_other = ends.may_throw_other;
  if (ends.may_throw_other) thrown = nullptr;
  for (std::size_t i = 0; i < ends.resume_count; ++i) {
    const auto resumed = ends.resumes[i] - 1;
    function_entry part;  // a pad may lie in a part of the function that has an entry of its own
    if (!find_function(resumed, part)) return {fate::dies, verdict.tells_types, false};
    const auto further = judge_call(part, resumed, thrown, pads + 1);
    verdict.what = worse(verdict.what, further.what);
    verdict.tells_types = verdict.tells_types || further.tells_types;
    verdict.may_be_other = verdict.may_be_other || further.may_be_other;
  }
  return verdict;
}

}  // namespace

frame_verdict judge(const function_entry& function, std::uintptr_t counter,
                    const std::type_info* thrown) noexcept {
  if (function.is_signal_frame || ends_process_or_library(function)) return {};
  if (function.personality == 0) return {fate::passes};
  if (is(function.personality, address_of(&__gxx_personality_v0)))
    return judge_call(function, counter, thrown, 0);
  const bool is_cleanup =
      is(function.personality, address_of(&__gcc_personality_v0)) ||
      object_of(function.begin) == object_of(resolve(address_of(&pthread_self)));
  return {is_cleanup ? fate::passes : fate::dies};
}

}  // namespace sigexc::detail
