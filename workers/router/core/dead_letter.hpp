// The headers of a record on chat.requests.dlq: those it came with, and beside them where it came from and why it could
// not be answered, in the convention of Spring for Apache Kafka's DeadLetterPublishingRecoverer. Pure.
#pragma once

#include <string_view>

#include "common/kafka/record.hpp"

namespace tokenrail::router {

[[nodiscard]] kafka::Headers dead_letter_headers(const kafka::Record& record, std::string_view reason);

}  // namespace tokenrail::router
