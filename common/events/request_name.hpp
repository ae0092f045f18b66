// A request's ids in sixteen bytes, for tables that keep many of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tokenrail::events {

/// Half of the SHA-256 of organisation and request id. A sender cannot choose ids that share a name with another's, so
/// names are compared in place of the ids.
class RequestName {
 public:
  RequestName(std::string_view org_id, std::string_view request_id);
  bool operator==(const RequestName&) const = default;

  struct Hash {
    std::size_t operator()(const RequestName& name) const noexcept {
      std::size_t hash = 0;
      std::memcpy(&hash, name.bytes_.data(), sizeof hash);
      return hash;
    }
  };

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace tokenrail::events
