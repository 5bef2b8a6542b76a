// Callbacks: handle an interrupt where the work is, and let the work go on.
#pragma once

#include <sigexc/detail/callable.hpp>
#include <sigexc/exceptions.hpp>
#include <sigexc/target.hpp>

#include <memory>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace sigexc {

namespace detail {

// A callback behind one interface. `object` is what `matches` found: the exception as an E.
class callback {
 public:
  explicit callback(const std::type_info& type) noexcept : type_(type) {}
  callback(const callback&) = delete;
  callback& operator=(const callback&) = delete;
  virtual ~callback() = default;
  virtual void operator()(const void* object) = 0;
  [[nodiscard]] const std::type_info& type() const noexcept { return type_; }
  // Called by who has resumed the computation, once that has halted for it; not as above.
  [[nodiscard]] virtual bool gets_computation() const noexcept { return false; }

 private:
  const std::type_info& type_;
};

template <class E, class F>
class typed_callback final : public callback {
 public:
  explicit typed_callback(F function) : callback(typeid(E)), function_(std::move(function)) {}
  ~typed_callback() noexcept override = default;  // whatever that of F says
  void operator()(const void* object) override {
    if constexpr (std::is_pointer_v<E>) {  // a catch clause copies a pointer out of the exception
      const E pointer = reinterpret_cast<E>(const_cast<void*>(object));  // a function's, too
      function_(pointer);
    } else {
      function_(*static_cast<const E*>(object));
    }
  }

 private:
  F function_;
};

template <class E, class F>
std::shared_ptr<callback> make_callback(F function) {
  static_assert(std::is_invocable_v<F&, const E&>, "sigexc: a callback takes a const E&");
  check_callable(function, "attach: the callback");
  return std::make_shared<typed_callback<E, F>>(std::move(function));
}

enum class position { innermost, outermost };
SIGEXC_EXPORT void add_callback(record&, std::shared_ptr<callback>, position);
SIGEXC_EXPORT void remove_callback(record&, const std::shared_ptr<callback>&) noexcept;
// The calling thread's record; throws not_enrolled if it is no target.
SIGEXC_EXPORT reference<record> this_record();

}  // namespace detail

/// Keeps a callback attached while it lives. Movable.
template <class E>
class attachment {
 public:
  attachment(attachment&&) noexcept = default;
  attachment& operator=(attachment&& other) noexcept {
    detach();
    record_ = std::move(other.record_);
    callback_ = std::move(other.callback_);
    return *this;
  }
  attachment(const attachment&) = delete;
  attachment& operator=(const attachment&) = delete;

  /// Detaches. Waits for no one but the callback, if it is running on another thread just now.
  ~attachment() { detach(); }

  // For `attach`.
  attachment(detail::reference<detail::record> record, std::shared_ptr<detail::callback> callback)
      : record_(std::move(record)), callback_(std::move(callback)) {
    detail::add_callback(*record_, callback_, detail::position::innermost);
  }

 private:
  void detach() noexcept {
    if (callback_ != nullptr) detail::remove_callback(*record_, callback_);
    callback_ = nullptr;
  }

  detail::reference<detail::record> record_;
  std::shared_ptr<detail::callback> callback_;
};

/// Attaches a callback for interrupts of type `E` (matched as a catch clause would) to the calling
/// thread, as its innermost one.
///
/// At a safe point callbacks come before raising, the innermost that matches, with every interrupt
/// blocked while it runs. If it returns, the interrupt is handled and the thread goes on; if it
/// throws, that exception is raised instead.
///
/// @param function called as `function(const E&)`, on the calling thread, at its safe points.
/// @return keeps it attached.
///
/// Safe point: never.  Blocks: never.  Threads: acts on the caller's.  Signals: unsafe.
/// Throws: `not_enrolled` on a thread that is no target; `std::invalid_argument` for a null pointer
/// or an empty `std::function`; `std::bad_alloc`.
/// See: D3, D4; the handlers of Common Lisp's condition system.
template <class E, class F>
[[nodiscard]] attachment<E> attach(F function) {
  return attachment<E>(detail::this_record(), detail::make_callback<E>(std::move(function)));
}

}  // namespace sigexc
