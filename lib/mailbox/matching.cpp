// Which catch clause would take an exception, asked without throwing it.
//
// A throw costs more than a microsecond and cannot be done while another exception is on its way.
// The C++ runtime decides by std::type_info::__do_catch, which is public in libstdc++; this asks
// the same way as its personality routine does, so bases (also ambiguous, private and virtual
// ones) and pointer conversions come out as in a catch clause.
#include <sigexc/exceptions.hpp>
#include <sigexc/target.hpp>

#include <cstring>
#include <exception>
#include <typeinfo>
#include <utility>

namespace sigexc::detail {

bool matches(const std::exception_ptr& exception, const std::type_info& type,
             const void** object) noexcept {
  const std::type_info* const thrown = exception.__cxa_exception_type();
  if (thrown == nullptr) return false;  // null, or not a C++ exception
  // An exception_ptr is one pointer, to the exception object (Itanium C++ ABI, libstdc++).
  static_assert(sizeof(std::exception_ptr) == sizeof(void*));
  void* found = nullptr;
  std::memcpy(&found, &exception, sizeof found);
  // For a thrown pointer the runtime converts the pointer itself.
  if (thrown->__is_pointer_p()) found = *static_cast<void**>(found);
  if (!type.__do_catch(thrown, &found, 1)) return false;
  if (object != nullptr) *object = found;
  return true;
}

std::exception_ptr check_made(std::exception_ptr made, const std::type_info& type) {
  // std::make_exception_ptr returns what copying threw in place of what was to be copied.
  const std::type_info* const is = made.__cxa_exception_type();
  if (is == nullptr || *is != type) std::rethrow_exception(std::move(made));
  return made;
}

}  // namespace sigexc::detail
