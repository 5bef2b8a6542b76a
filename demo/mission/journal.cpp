#include "mission/journal.hpp"

#include <exception>
#include <utility>

namespace workcell::mission {

journal::phase::phase(journal& kept_in, std::string_view name)
    : journal_(kept_in),
      span_(kept_in.spans_.size()),
      exceptions_at_entry_(std::uncaught_exceptions()) {
  journal_.spans_.push_back(
      {std::string(name), journal_.open_.size(), journal_.now(), journal_.now(), false});
  journal_.open_.push_back(span_);
}

journal::phase::~phase() {
  span& mine = journal_.spans_[span_];
  mine.end = journal_.now();
  mine.left_by_exception = std::uncaught_exceptions() > exceptions_at_entry_;
  if (mine.left_by_exception && journal_.unwound_from_.empty()) {
    journal_.unwound_from_ = journal_.path();
  }
  journal_.open_.pop_back();
}

std::string journal::path() const {
  std::string joined;
  for (const std::size_t index : open_) {
    if (!joined.empty()) joined += '/';
    joined += spans_[index].name;
  }
  return joined;
}

bool journal::is_in(const std::vector<std::string>& names) const {
  auto wanted = names.begin();
  for (const std::size_t index : open_) {
    if (wanted != names.end() && spans_[index].name == *wanted) ++wanted;
  }
  return wanted == names.end();
}

std::string journal::note_catch() {
  return unwound_from_.empty() ? path() : std::exchange(unwound_from_, {});
}

}  // namespace workcell::mission
