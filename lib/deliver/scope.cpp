// What the inlined part of scopes leaves to the library.
#include <sigexc/mask.hpp>

#include <stdexcept>
#include <typeinfo>

namespace sigexc::detail {

namespace {

// What held before a block governs the same types as the block did. Nothing can be delivered in
// the new scope if nothing could be before the block, and, unless it governs every interrupt,
// nothing can be just outside the new scope.
bool is_quiet_before(const scope* base, bool governs_everything, bool is_quiet_outside) noexcept {
  return base != nullptr && base->is_quiet() && (governs_everything || is_quiet_outside);
}

}  // namespace

scope::scope(restoring what) noexcept
    : base_(what.block.outer_),
      types_(what.block.types_),
      policy_(policy::immediate),
      restores_(true),
      is_quiet_(is_quiet_before(base_, types_[0] == nullptr, was_quiet_)) {
  enter();
}

const scope& check_open(const scope& block) {
  if (!scope::is_open_here(block))
    throw std::invalid_argument(
        "sigexc: unblock_scope: the block is not open on this thread; name one that is around it");
  return block;
}

policy policy_of(type_list types) noexcept { return policy_of(types, current.innermost); }

policy policy_of(type_list types, const scope* innermost) noexcept {
  return scope::lookup(innermost, [types](type_list governed) {
    if (types[0] == nullptr) return false;  // every interrupt: only a scope of every interrupt does
    for (; *governed != nullptr; ++governed) {
      void* object = nullptr;
      if ((*governed)->__do_catch(*types, &object, 1)) return true;
    }
    return false;
  });
}

}  // namespace sigexc::detail
