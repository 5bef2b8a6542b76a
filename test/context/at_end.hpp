// Notes that a frame was left, in whatever way.
#pragma once

namespace sigexc::test {

template <class F>
struct at_end {
  F note;
  ~at_end() { note(); }
};
template <class F>
at_end(F) -> at_end<F>;

}  // namespace sigexc::test
