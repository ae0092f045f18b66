// What names a request: a request id is unique within its organisation only, so neither is passed without the other.
#pragma once

#include <string_view>

namespace tokenrail::events {

/// A view: the texts belong to the record, request or attempt that it was made of.
struct RequestKey {
  std::string_view org_id;
  std::string_view request_id;
  bool operator==(const RequestKey&) const = default;
};

}  // namespace tokenrail::events
