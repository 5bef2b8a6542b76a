// What two modules of one process throw at each other, and how each catches it. Each module that
// includes this has a copy of everything here, type information included.
#pragma once

#include <sigexc/sigexc.hpp>

#include <exception>
#include <utility>
#include <vector>

// A user's own type. No attribute makes it visible: nothing asks users for that.
struct slip {
  int wheel;
};

enum class kind { nothing, terminated, group, slip, unknown };

// The functions of a module, to be called from another one.
struct module_functions {
  void (*raise)(kind);                             // throws
  void (*send)(const sigexc::target&, kind);       // interrupts
  kind (*caught)(void (*raise)(kind), kind what);  // calls `raise` and says what it caught
  kind (*delivered)();                             // as what a safe point raised it
};

namespace {

sigexc::exception_group make_group() {
  return sigexc::exception_group(
      {std::make_exception_ptr(slip{1}), std::make_exception_ptr(sigexc::terminated{})});
}

void raise(kind what) {
  if (what == kind::terminated) throw sigexc::terminated{};
  if (what == kind::group) throw make_group();
  if (what == kind::slip) throw slip{7};
}

void send(const sigexc::target& to, kind what) {
  if (what == kind::terminated) to.interrupt(sigexc::terminated{});
  if (what == kind::slip) to.interrupt(slip{7});
  if (what == kind::group) {  // two that are pending together are raised as a group
    to.interrupt(slip{1});
    to.interrupt(sigexc::terminated{});
  }
}

kind caught(void (*act)(kind), kind what) {
  try {
    act(what);
  } catch (const sigexc::terminated&) {
    return kind::terminated;
  } catch (const sigexc::exception_group& group) {
    const bool is_whole = group.exceptions().size() == 2 && group.subgroup<slip>() &&
                          group.subgroup<sigexc::interruption>() && !group.subgroup<int>();
    return is_whole ? kind::group : kind::unknown;
  } catch (const slip& e) {
    return e.wheel == 7 ? kind::slip : kind::unknown;
  } catch (...) {
    return kind::unknown;
  }
  return kind::nothing;
}

kind delivered() {
  return caught([](kind) { sigexc::safe_point(); }, kind::nothing);
}

[[maybe_unused]] constexpr module_functions functions{raise, send, caught, delivered};

}  // namespace
