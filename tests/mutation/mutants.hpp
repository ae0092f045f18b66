// What the copy of the tree that `./dev mutate` builds is made of: each planted change has a number, and does something
// only where that number was chosen. scripts/mutants.py writes what uses this; nothing else includes it.
#pragma once

#include <algorithm>
#include <concepts>
#include <utility>

// Planted code is not written by a person.
#pragma clang diagnostic ignored "-Weverything"

namespace mutants {

inline constexpr int numbers_max = 40'000;
inline int chosen = -1;
inline unsigned char reached[numbers_max];
inline unsigned char impossible[numbers_max];  ///< would not compile alone

/// Whether this change is to be seen. Never while compiling.
template <int Number>
constexpr bool on() {
  if consteval {
    return false;
  } else {
    reached[Number] = 1;
    return chosen == Number;
  }
}

template <int Number>
struct Impossible {
  static bool note() {
    impossible[Number] = 1;
    return true;
  }
  static inline const bool noted = note();
};

/// `a < b` is written `a < Less<7>{} < b`, which needs no ends of the operands: both operators bind alike, from the
/// left.
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage)
#define MUTANTS_INFIX(Name, op, other)                                              \
  template <int Number>                                                             \
  struct Name {};                                                                   \
  template <int Number, class Left>                                                 \
  struct Name##Left {                                                               \
    const Left& left;                                                               \
  };                                                                                \
  template <int Number, class Left>                                                 \
  constexpr Name##Left<Number, Left> operator op(const Left & left, Name<Number>) { \
    return {left};                                                                  \
  }                                                                                 \
  template <int Number, class Left, class Right>                                    \
  constexpr auto operator op(Name##Left<Number, Left> of, const Right& right) {     \
    using Value = decltype(of.left op right);                                       \
    if constexpr (requires {                                                        \
                    { of.left other right } -> std::same_as<Value>;                 \
                  }) {                                                              \
      if (on<Number>()) return of.left other right;                                 \
    } else if (!std::is_constant_evaluated()) {                                     \
      static_cast<void>(Impossible<Number>::noted);                                 \
    }                                                                               \
    return of.left op right;                                                        \
  }

MUTANTS_INFIX(Less, <, <=)
MUTANTS_INFIX(LessEqual, <=, <)
MUTANTS_INFIX(Greater, >, >=)
MUTANTS_INFIX(GreaterEqual, >=, >)
MUTANTS_INFIX(Equal, ==, !=)
MUTANTS_INFIX(NotEqual, !=, ==)
MUTANTS_INFIX(Plus, +, -)
MUTANTS_INFIX(Minus, -, +)
#undef MUTANTS_INFIX

/// `!a` is written `Not<7>{}->*!a`.
template <int Number>
struct Not {
  template <class Value>
  constexpr bool operator->*(const Value& value) const {
    return on<Number>() ? !static_cast<bool>(value) : static_cast<bool>(value);
  }
};

template <int Number, class... Values>
constexpr auto min(Values&&... values) {
  return on<Number>() ? std::max(std::forward<Values>(values)...) : std::min(std::forward<Values>(values)...);
}
template <int Number, class... Values>
constexpr auto max(Values&&... values) {
  return on<Number>() ? std::min(std::forward<Values>(values)...) : std::max(std::forward<Values>(values)...);
}

}  // namespace mutants
