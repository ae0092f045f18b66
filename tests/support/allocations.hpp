// What a piece of code asks of the allocator: for tests that hold work and memory to a bound without a clock. The
// sanitizers' allocators tell; where there is none, nothing is known and such tests are passed over.
#pragma once

#include <cstddef>

// Compilers say it in two ways.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TOKENRAIL_ALLOCATIONS_TOLD 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TOKENRAIL_ALLOCATIONS_TOLD 1
#endif
#endif
#ifdef TOKENRAIL_ALLOCATIONS_TOLD
#include <sanitizer/allocator_interface.h>
#else
#define TOKENRAIL_ALLOCATIONS_TOLD 0
#endif

namespace tokenrail::tests {

inline constexpr bool allocations_are_told = TOKENRAIL_ALLOCATIONS_TOLD != 0;

/// Bytes that the process holds from its allocator now.
inline std::size_t allocated_bytes() {
#if TOKENRAIL_ALLOCATIONS_TOLD
  return __sanitizer_get_current_allocated_bytes();
#else
  return 0;
#endif
}

/// How often this thread has asked the allocator since this was made.
class AllocationCount {
 public:
  AllocationCount() : begin_(so_far()) {}
  [[nodiscard]] std::size_t since() const { return so_far() - begin_; }

 private:
  static std::size_t so_far() {
#if TOKENRAIL_ALLOCATIONS_TOLD
    static const int installed = __sanitizer_install_malloc_and_free_hooks(
        [](const volatile void*, std::size_t) { ++count; }, [](const volatile void*) {});
    static_cast<void>(installed);
#endif
    return count;
  }

  inline static thread_local std::size_t count = 0;
  std::size_t begin_;
};

}  // namespace tokenrail::tests
