// Offsets of different topics do not mix: what would confuse them does not compile.
#include "common/events/offsets.hpp"

#include <type_traits>
#include <unordered_set>

#include <gtest/gtest.h>

namespace tokenrail::events {
namespace {

template <class A, class B>
concept Comparable = requires(A a, B b) { a == b; };
template <class A, class B>
concept Ordered = requires(A a, B b) { a < b; };
template <class A, class B>
concept Subtractable = requires(A a, B b) { a - b; };

template <class A, class B>
constexpr bool mix = std::is_convertible_v<A, B> || std::is_constructible_v<B, A> || std::is_assignable_v<B&, A> ||
                     Comparable<A, B> || Ordered<A, B> || Subtractable<A, B>;
static_assert(!mix<AuditOffset, ChunkOffset>);
static_assert(!mix<ChunkOffset, AuditOffset>);
static_assert(!mix<RequestOffset, ChunkOffset>);
static_assert(!mix<ChunkOffset, RequestOffset>);
static_assert(!mix<RequestOffset, AuditOffset>);
static_assert(!mix<AuditOffset, RequestOffset>);

// A plain number becomes an offset, and an offset a plain number, only where the code says so.
template <class Offset>
constexpr bool is_explicit =
    std::is_constructible_v<Offset, std::int64_t> && !std::is_convertible_v<std::int64_t, Offset> &&
    !std::is_convertible_v<Offset, std::int64_t> && !std::is_constructible_v<std::int64_t, Offset> &&
    !Comparable<Offset, std::int64_t>;
static_assert(is_explicit<AuditOffset>);
static_assert(is_explicit<ChunkOffset>);
static_assert(is_explicit<RequestOffset>);

// As cheap as the number.
static_assert(sizeof(AuditOffset) == sizeof(std::int64_t));
static_assert(std::is_trivially_copyable_v<AuditOffset>);

TEST(Offsets, MoveByCountsAndDifferByCounts) {
  constexpr AuditOffset first(7);
  EXPECT_EQ((first + 3).value(), 10);
  EXPECT_EQ((first - 3).value(), 4);
  EXPECT_EQ(first + 3 - first, 3);
  auto next = first;
  EXPECT_EQ((++next).value(), 8);
  EXPECT_EQ(AuditOffset{}.value(), 0);
}

TEST(Offsets, AreOrderedAndHashedAsTheirNumbers) {
  EXPECT_LT(AuditOffset(-1), AuditOffset(0));
  EXPECT_EQ(ChunkOffset(5), ChunkOffset(5));
  EXPECT_EQ((std::unordered_set<ChunkOffset>{ChunkOffset(1), ChunkOffset(2), ChunkOffset(1)}.size()), 2U);
}

}  // namespace
}  // namespace tokenrail::events
