// A heap of deadlines, linked through the deadlines themselves: it needs no memory of its own, so
// that the end of a scope cannot fail and its beginning does not allocate.
//
// It is a pairing heap: a tree in which nobody is earlier than his parent, kept as lists of
// children. Adding one, and removing one that has no children, is a comparison and a few links, and
// that is what scopes do that end in time; taking the earliest is O(log n) amortised. A heap in an
// array has better bounds and has to grow.
//
// Not synchronised.
#pragma once

#include <sigexc/detail/deadline.hpp>

#include <utility>

namespace sigexc::detail {

class deadline_heap {
 public:
  [[nodiscard]] deadline_link* earliest() const noexcept { return root_; }

  void add(deadline_link& one) noexcept {
    one.is_queued_ = true;
    root_ = root_ == nullptr ? &one : meld(*root_, one);
  }

  // Does nothing if it is not in here.
  void remove(deadline_link& one) noexcept {
    if (!one.is_queued_) return;
    one.is_queued_ = false;
    deadline_link* const below = meld_children(one);
    if (&one == root_) {
      root_ = below;
      return;
    }
    // `previous_` is the sibling before it, or the parent of the first child.
    (one.previous_->child_ == &one ? one.previous_->child_ : one.previous_->sibling_) =
        one.sibling_;
    if (one.sibling_ != nullptr) one.sibling_->previous_ = one.previous_;
    one.sibling_ = one.previous_ = nullptr;
    if (below != nullptr) root_ = meld(*root_, *below);
  }

 private:
  // Of two roots one becomes the first child of the other. @return the other.
  static deadline_link* meld(deadline_link& a, deadline_link& b) noexcept {
    deadline_link& later = b.at_ < a.at_ ? a : b;
    deadline_link& sooner = b.at_ < a.at_ ? b : a;
    later.previous_ = &sooner;
    later.sibling_ = sooner.child_;
    if (sooner.child_ != nullptr) sooner.child_->previous_ = &later;
    sooner.child_ = &later;
    return &sooner;
  }

  // Takes the children of `one` off it and makes one heap of them: in pairs, then the pairs from
  // the last to the first. @return its root, or null.
  static deadline_link* meld_children(deadline_link& one) noexcept {
    deadline_link* pairs = nullptr;  // linked by `sibling_`, the last pair first
    for (deadline_link* next = std::exchange(one.child_, nullptr); next != nullptr;) {
      deadline_link* const first = next;
      deadline_link* const second = first->sibling_;
      next = second != nullptr ? second->sibling_ : nullptr;
      first->sibling_ = first->previous_ = nullptr;
      deadline_link* pair = first;
      if (second != nullptr) {
        second->sibling_ = second->previous_ = nullptr;
        pair = meld(*first, *second);
      }
      pair->sibling_ = std::exchange(pairs, pair);
    }
    deadline_link* root = nullptr;
    while (pairs != nullptr) {
      deadline_link* const pair = std::exchange(pairs, pairs->sibling_);
      pair->sibling_ = nullptr;
      root = root == nullptr ? pair : meld(*root, *pair);
    }
    return root;
  }

  deadline_link* root_ = nullptr;
};

}  // namespace sigexc::detail
