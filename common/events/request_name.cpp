#include "common/events/request_name.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include <openssl/evp.h>

namespace tokenrail::events {

RequestName::RequestName(std::string_view org_id, std::string_view request_id) {
  // The length keeps the two ids apart.
  std::string ids = std::to_string(org_id.size());
  ids.append(1, ':').append(org_id).append(request_id);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_Digest(ids.data(), ids.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1 || length < bytes_.size())
    throw std::runtime_error("OpenSSL offers no SHA-256");
  std::copy_n(digest.begin(), bytes_.size(), bytes_.begin());
}

}  // namespace tokenrail::events
