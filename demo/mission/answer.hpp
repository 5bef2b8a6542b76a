// The catch clause of the mission's levels: gives each event to its handler, and keeps the books.
//
//   } catch (...) {
//     answer(books, "move_to",
//            [&](const obstacle_appeared& seen) { avoid(seen.what); },
//            [&](const person_entered& seen) { wait_for(seen); });
//   }
//
// It is sigexc::handle_each, thus works the same for one event and for several that were raised as
// a group; what no handler takes flies on. Hence `catch (...)`: a group is of a type of its own.
#pragma once

#include <sigexc/exceptions.hpp>

#include <string_view>
#include <utility>

#include "mission/ledger.hpp"

namespace workcell::mission {

/// A handler of events of type `E` that ticks off what it handles.
template <class E, class Handler>
class booked {
 public:
  booked(ledger& books, std::string_view level, Handler handler)
      : books_(books), level_(level), handler_(std::move(handler)) {}
  void operator()(const E& what) const {
    books_.answered(what, level_);
    handler_(what);
  }

 private:
  ledger& books_;
  std::string_view level_;
  Handler handler_;
};

/// Deduces `E` from the handler's parameter.
template <class Handler, class E>
[[nodiscard]] auto book(ledger& books, std::string_view level, Handler handler,
                        void (Handler::* /*its call operator*/)(const E&) const) {
  return booked<E, Handler>(books, level, std::move(handler));
}

/// Whether the current exception is a group of which a member cannot wait until others are
/// answered.
[[nodiscard]] inline bool cannot_wait() {
  try {
    throw;
  } catch (const sigexc::exception_group& group) {
    return group.subgroup<emergency_stop>() || group.subgroup<sigexc::terminated>();
  } catch (...) {
    return false;
  }
}

/// To be called in a catch clause, on behalf of `level`, where the mission is over: whatever has
/// come is answered, an emergency too.
template <class... Handlers>
void answer_at_the_end(ledger& books, std::string_view level, Handlers... handlers) {
  books.note_catch();
  sigexc::handle_each(book(books, level, std::move(handlers), &Handlers::operator())...);
}

/// To be called in a catch clause, on behalf of `level`. A group with an emergency in it flies on
/// as a whole, at once: answering may take its time, as when a person has to leave first. Throws:
/// what no handler takes, and what handlers throw.
template <class... Handlers>
void answer(ledger& books, std::string_view level, Handlers... handlers) {
  if (cannot_wait()) {
    books.note_catch();
    throw;
  }
  answer_at_the_end(books, level, std::move(handlers)...);
}

}  // namespace workcell::mission
