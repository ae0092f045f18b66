// jansson for texts that hold secrets. Included by this module's .cpp files only.
#pragma once

#include <cstdlib>
#include <memory>

#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>

namespace tokenrail::crypto {

struct FreeJson {
  void operator()(json_t* json) const { json_decref(json); }
};
using Json = std::unique_ptr<json_t, FreeJson>;

inline void zero_and_free(void* memory) {
  if (memory == nullptr) return;
  OPENSSL_cleanse(memory, malloc_usable_size(memory));
  std::free(memory);
}

/// jansson copies each string several times while it reads. Its memory is zeroed before it is freed, in the whole
/// process: whatever else it reads there (private keys of tokens) may be secret too. To be called before each use.
inline void zero_what_jansson_frees() {
  static const bool done = [] {
    json_set_alloc_funcs(std::malloc, zero_and_free);
    return true;
  }();
  static_cast<void>(done);
}

}  // namespace tokenrail::crypto
