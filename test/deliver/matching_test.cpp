// Matching: scopes, callbacks, groups and handlers take an exception exactly where a catch clause
// of that type would. The judge is the compiler: each pair of types is thrown and caught.
#include <gtest/gtest.h>

#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <vector>

#include "support/interrupts.hpp"

namespace sigexc::test {
namespace {

struct base {
  int number = 1;
};
struct second {
  int number = 2;
};
struct derived : base, second {};
struct farther : derived {};
struct over_virtual : virtual base {};
struct left : virtual base {};
struct right : virtual base {};
struct diamond : left, right {};
struct one_base : base {};
struct other_base : base {};
struct ambiguous : one_base, other_base {};
struct hidden : private base {};
struct guarded : protected base {};
struct polymorphic {
  polymorphic() = default;
  polymorphic(const polymorphic&) = default;
  polymorphic& operator=(const polymorphic&) = default;
  virtual ~polymorphic() = default;
};
struct polymorphic_derived : virtual polymorphic {};
enum plain { zero };
enum class scoped { zero };
void function() {}
void quiet_function() noexcept {}

// A catch clause's own type: classes by reference, others by value.
template <class T>
using clause = std::conditional_t<std::is_class_v<T>, const T&, T>;

template <class T>
bool is_caught(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (clause<T>) {
    return true;
  } catch (...) {
    return false;
  }
}

template <class T>
bool is_blocked(const std::exception_ptr& exception) {
  const receipt sent = this_thread::get_target().interrupt(exception);
  try {
    const block_scope<T> quiet;
    safe_point();
    return sent.withdraw();
  } catch (...) {
    return false;
  }
}

template <class T>
bool is_handled(const std::exception_ptr& exception) {
  const auto handler = attach<T>([](const T&) {});
  const receipt sent = this_thread::get_target().interrupt(exception);
  try {
    safe_point();
  } catch (...) {
  }
  return sent.state() == delivery::handled;
}

template <class T>
bool is_in_subgroup(const std::exception_ptr& exception) {
  return exception_group({exception}).subgroup<T>().has_value();
}

template <class T>
bool is_handled_each(const std::exception_ptr& exception) {
  bool is_handled = false;
  try {
    std::rethrow_exception(exception);
  } catch (...) {
    try {
      handle_each([&](const T&) { is_handled = true; });
    } catch (...) {
    }
  }
  return is_handled;
}

template <class T>
void compare(const std::exception_ptr& exception) {
  SCOPED_TRACE(std::string("caught as ") + typeid(T).name());
  const bool expected = is_caught<T>(exception);
  EXPECT_EQ(is_blocked<T>(exception), expected);
  EXPECT_EQ(is_handled<T>(exception), expected);
  EXPECT_EQ(is_in_subgroup<T>(exception), expected);
  EXPECT_EQ(is_handled_each<T>(exception), expected);
}

// Compares for each type that is caught here; `sent` is thrown.
template <class E>
void compare_all(const E& sent) {
  SCOPED_TRACE(std::string("thrown as ") + typeid(E).name());
  const enrollment self;
  const std::exception_ptr exception = std::make_exception_ptr(sent);
  const auto each = [&]<class... T>(std::type_identity<T>...) { (compare<T>(exception), ...); };
  using std::type_identity;
  each(type_identity<base>(), type_identity<second>(), type_identity<derived>(),
       type_identity<over_virtual>(), type_identity<left>(), type_identity<diamond>(),
       type_identity<one_base>(), type_identity<ambiguous>(), type_identity<hidden>(),
       type_identity<polymorphic>(), type_identity<std::exception>(),
       type_identity<std::runtime_error>(), type_identity<interruption>(),
       type_identity<terminated>());
  each(type_identity<int>(), type_identity<unsigned>(), type_identity<long>(),
       type_identity<plain>(), type_identity<scoped>(), type_identity<std::string>());
  each(type_identity<void*>(), type_identity<const void*>(), type_identity<volatile void*>(),
       type_identity<std::nullptr_t>(), type_identity<int*>(), type_identity<const int*>(),
       type_identity<int**>(), type_identity<const int* const*>(), type_identity<const int**>(),
       type_identity<const char*>(), type_identity<char*>());
  each(type_identity<base*>(), type_identity<const base*>(), type_identity<second*>(),
       type_identity<derived*>(), type_identity<left*>(), type_identity<hidden*>(),
       type_identity<const derived*>(), type_identity<const polymorphic*>());
  each(type_identity<int base::*>(), type_identity<int derived::*>(),
       type_identity<const int base::*>(), type_identity<void (*)()>(),
       type_identity<void (*)() noexcept>());
}

TEST(Matching, OfClassesIsThatOfACatchClause) {  // M1, D2, D3
  compare_all(base());
  compare_all(derived());
  compare_all(farther());
  compare_all(over_virtual());
  compare_all(diamond());
  compare_all(ambiguous());
  compare_all(hidden());
  compare_all(guarded());
  compare_all(polymorphic_derived());
  compare_all(std::runtime_error("text"));
  compare_all(std::string("text"));
  compare_all(terminated());
  compare_all(keyboard_interrupt(2));
}

TEST(Matching, OfNumbersIsThatOfACatchClause) {  // M1, D2, D3: none is converted
  compare_all(1);
  compare_all(1U);
  compare_all(1L);
  compare_all(zero);
  compare_all(scoped::zero);
}

TEST(Matching, OfPointersIsThatOfACatchClause) {  // M1, D2, D3
  static derived object;
  static polymorphic_derived other;
  static int number = 0;
  static int* pointer = &number;
  static const int* const_pointer = &number;
  compare_all(&object);
  compare_all(static_cast<const derived*>(&object));
  compare_all(static_cast<volatile derived*>(&object));
  compare_all(static_cast<base*>(&object));
  compare_all(&other);
  compare_all(&number);
  compare_all(const_pointer);
  compare_all(&pointer);
  compare_all(&const_pointer);
  compare_all("text");
  compare_all(static_cast<void*>(&number));
}

TEST(Matching, OfNullPointersIsThatOfACatchClause) {  // M1, D2, D3
  compare_all(nullptr);
  compare_all(static_cast<derived*>(nullptr));
  compare_all(static_cast<diamond*>(nullptr));
  compare_all(static_cast<ambiguous*>(nullptr));
  compare_all(static_cast<hidden*>(nullptr));
  compare_all(static_cast<polymorphic_derived*>(nullptr));
  compare_all(static_cast<const char*>(nullptr));
}

TEST(Matching, OfFunctionsAndMembersIsThatOfACatchClause) {  // M1, D2
  compare_all(&function);
  compare_all(&quiet_function);
  compare_all(static_cast<int base::*>(&base::number));
  compare_all(static_cast<int derived::*>(nullptr));
}

TEST(Matching, OfTypesThatOnlyAFunctionKnows) {  // M1, D2, D3
  struct local {
    int number;
  };
  const enrollment self;
  const auto lambda = [] { return 7; };
  to_self(local{1});
  EXPECT_THROW(safe_point(), local);
  to_self(lambda);
  EXPECT_THROW(safe_point(), std::remove_const_t<decltype(lambda)>);
  int seen = 0;
  const auto handler = attach<local>([&](const local& l) { seen = l.number; });
  to_self(local{3});
  safe_point();
  EXPECT_EQ(seen, 3);
}

// What a callback is given is the object as a catch clause would see it.
template <class T, class E>
std::optional<T> as_seen_by_callback(const E& sent) {
  const enrollment self;
  std::optional<T> seen;
  const auto handler = attach<T>([&](const T& object) { seen = object; });
  self.get_target().interrupt(std::make_exception_ptr(sent));
  safe_point();
  return seen;
}

TEST(Callback, SeesTheRightBase) {  // D3
  EXPECT_EQ(as_seen_by_callback<base>(derived())->number, 1);
  EXPECT_EQ(as_seen_by_callback<second>(derived())->number, 2);
  EXPECT_EQ(as_seen_by_callback<second>(farther())->number, 2);
  EXPECT_EQ(as_seen_by_callback<base>(over_virtual())->number, 1);
  EXPECT_EQ(as_seen_by_callback<base>(diamond())->number, 1);
}

TEST(Callback, SeesTheRightPointer) {  // D3
  derived object;
  EXPECT_EQ(as_seen_by_callback<second*>(&object), static_cast<second*>(&object));
  EXPECT_EQ(as_seen_by_callback<const second*>(&object), static_cast<second*>(&object));
  diamond virtual_one;
  EXPECT_EQ(as_seen_by_callback<base*>(&virtual_one), static_cast<base*>(&virtual_one));
  EXPECT_EQ(as_seen_by_callback<base*>(static_cast<diamond*>(nullptr)), nullptr);
  EXPECT_EQ(as_seen_by_callback<second*>(static_cast<derived*>(nullptr)), nullptr);
  EXPECT_EQ(as_seen_by_callback<base*>(nullptr), nullptr);
  EXPECT_EQ(as_seen_by_callback<const void*>(&object), &object);
  EXPECT_EQ(as_seen_by_callback<void (*)()>(&function), &function);
  EXPECT_EQ(as_seen_by_callback<int base::*>(&base::number), &base::number);
}

TEST(Callback, SeesValues) {  // D3
  EXPECT_EQ(as_seen_by_callback<int>(7), 7);
  EXPECT_EQ(as_seen_by_callback<scoped>(scoped::zero), scoped::zero);
  EXPECT_EQ(as_seen_by_callback<std::string>(std::string("text")), "text");
  EXPECT_STREQ(as_seen_by_callback<const char*>("text").value(), "text");
}

}  // namespace
}  // namespace sigexc::test
