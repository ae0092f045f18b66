// A record as a line of text or JSON. Pure.
#pragma once

#include <string>

#include "common/kafka/record.hpp"

namespace tokenrail::cli {

/// "3:42  key  value", controls removed.
[[nodiscard]] std::string record_line(const kafka::Record& record);

/// {"topic","partition","offset","timestamp","key","headers":{…},"value"} on one line. A value that is JSON is written
/// as JSON, another one as a string, a tombstone as null.
[[nodiscard]] std::string record_json(const kafka::Record& record);

}  // namespace tokenrail::cli
