// The commit metadata, under the names that the router's core uses. What it is: common/events/commit_metadata.hpp.
#pragma once

#include "common/events/commit_metadata.hpp"

namespace tokenrail::router {

using events::CommitMetadata;
using events::decode_commit_metadata;
using events::encode;

}  // namespace tokenrail::router
