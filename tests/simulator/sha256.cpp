#include "tests/simulator/sha256.hpp"

#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>

namespace tokenrail::simulator {

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string out;
  for (const auto byte : digest) out += fmt::format("{:02x}", byte);
  return out;
}

}  // namespace tokenrail::simulator
