// The types of the model, as the library has them.
#pragma once

#include "fuzz/model.hpp"

#include <sigexc/sigexc.hpp>

#include <array>
#include <stdexcept>
#include <string>

namespace sigexc::test::fuzz {

// Each says by `what()` which one it is.
struct apple : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct red_apple : apple {
  using apple::apple;
};
struct pear : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The lists of types that scopes govern, here and in the model.
inline const std::array<model::kind_list, 8> lists{{{},
                                                    {kind::apple},
                                                    {kind::red_apple},
                                                    {kind::pear},
                                                    {kind::termination},
                                                    {kind::apple, kind::pear},
                                                    {kind::red_apple, kind::pear},
                                                    {kind::apple, kind::termination}}};

template <class F>
void with_list(std::size_t list, F&& f) {
  switch (list) {
    case 1:
      return f.template operator()<apple>();
    case 2:
      return f.template operator()<red_apple>();
    case 3:
      return f.template operator()<pear>();
    case 4:
      return f.template operator()<terminated>();
    case 5:
      return f.template operator()<apple, pear>();
    case 6:
      return f.template operator()<red_apple, pear>();
    case 7:
      return f.template operator()<apple, terminated>();
    default:
      return f.template operator()<>();
  }
}

// Calls `f` with what is sent for a fruit.
template <class F>
auto with_fruit(kind type, const std::string& name, F&& f) {
  if (type == kind::apple) return f(apple(name));
  return type == kind::red_apple ? f(red_apple(name)) : f(pear(name));
}

inline rule rule_of(policy what) {
  return what == policy::immediate     ? rule::immediate
         : what == policy::on_blocking ? rule::on_blocking
                                       : rule::never;
}

inline fate fate_of(delivery what) {
  switch (what) {
    case delivery::pending:
      return fate::pending;
    case delivery::raised:
      return fate::raised;
    case delivery::handled:
      return fate::handled;
    case delivery::withdrawn:
      return fate::withdrawn;
    case delivery::discarded:
      return fate::discarded;
  }
  return fate::delivering;  // none that the model ends with
}

inline std::string name_of(kind type) {
  static constexpr std::array names{"apple", "red apple", "pear", "termination"};
  return names.at(static_cast<std::size_t>(type));
}

}  // namespace sigexc::test::fuzz
