// Which librdkafka properties each kind of client gets: our defaults, over them the user's, over those what the
// module's promises need. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/kafka/record.hpp"
#include "common/result.hpp"

namespace tokenrail::kafka::detail {

[[nodiscard]] Result<Properties> group_consumer_properties(const Properties& user, const std::string& group_id);
[[nodiscard]] Result<Properties> log_reader_properties(const Properties& user);
[[nodiscard]] Result<Properties> committed_reader_properties(const Properties& user);
[[nodiscard]] Result<Properties> producer_properties(const Properties& user);
[[nodiscard]] Result<Properties> admin_properties(const Properties& user);
[[nodiscard]] Result<Properties> committed_admin_properties(const Properties& user);

/// The value that counts (the last one), or empty.
[[nodiscard]] std::string_view property(const Properties& properties, std::string_view name);

/// A property as messages name it, with the environment variable that sets it: "sasl.mechanism
/// (TOKENRAIL_KAFKA_SASL_MECHANISM)".
[[nodiscard]] std::string named(std::string_view name);

/// Whether a property's value must never be printed, also not as part of an error text.
[[nodiscard]] bool is_secret(std::string_view name);

}  // namespace tokenrail::kafka::detail
