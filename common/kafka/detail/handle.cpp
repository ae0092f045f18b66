#include "common/kafka/detail/handle.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/config/edit_distance.hpp"
#include "common/kafka/detail/ending.hpp"
#include "common/kafka/detail/properties.hpp"

namespace tokenrail::kafka::detail {
namespace {

spdlog::level::level_enum level_of(int syslog_level) {
  if (syslog_level <= 3) return spdlog::level::err;
  if (syslog_level == 4) return spdlog::level::warn;
  if (syslog_level <= 6) return spdlog::level::info;
  return spdlog::level::debug;
}

// Called from librdkafka's threads; spdlog's sinks may be used from any thread.
void log_line(const rd_kafka_t*, int level, const char* facility, const char* text) {
  const std::string_view line = text;
  const std::string_view kind = facility;
  // One set of properties serves all clients, so each sees some that are meant for the others; and the gapless
  // guarantee is asked for knowingly, "experimental" or not.
  if (kind == "CONFWARN" && (line.find("will be ignored by this") != std::string_view::npos ||
                             line.find("is experimental") != std::string_view::npos))
    return;
  if (kind == "AUTOCREATE") return;  // "may be created automatically": said of every old broker, whatever its setting
  if (kind == "FATAL") return spdlog::debug("kafka: {}", line);  // reported by what has the client, with what follows
  // A broker that is away is a state, not a fault of this process, and librdkafka keeps trying.
  const auto ours = level <= 3 ? spdlog::level::warn : level_of(level);
  spdlog::log(ours, "kafka: {}: {}", kind, line);
}

struct ConfDestroy {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};

/// The property that was meant by one that librdkafka does not know, as messages name it; empty: none is near.
std::string property_meant(rd_kafka_conf_t* conf, std::string_view name) {
  // Other names of some properties, which librdkafka takes and does not list.
  std::vector<std::string> known{
      "acks",          "bootstrap.servers",         "compression.type", "delivery.timeout.ms", "linger.ms",
      "max.in.flight", "max.partition.fetch.bytes", "retries",          "sasl.mechanism"};
  const auto add_all = [&](const char** dump, std::size_t count) {
    for (std::size_t i = 0; i + 1 < count; i += 2) known.emplace_back(dump[i]);  // name, value, name, value, …
    rd_kafka_conf_dump_free(dump, count);
  };
  std::size_t count = 0;
  const char** dump = rd_kafka_conf_dump(conf, &count);
  add_all(dump, count);
  // A client takes the properties of topics too, as defaults.
  const std::unique_ptr<rd_kafka_topic_conf_t, Destroy<rd_kafka_topic_conf_destroy>> topic(rd_kafka_topic_conf_new());
  dump = rd_kafka_topic_conf_dump(topic.get(), &count);
  add_all(dump, count);
  const auto meant = config::nearest(name, known, std::clamp<std::size_t>(name.size() / 4, 1, 4));
  return meant ? named(*meant) : std::string();
}

}  // namespace

void end_and_wait(rd_kafka_t* client) {
  rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void EndClient::operator()(rd_kafka_t* client) const {
  end_beside([client] { end_and_wait(client); });
}

Result<Client> open_client(rd_kafka_type_t type, const Properties& properties, int events) {
  std::unique_ptr<rd_kafka_conf_t, ConfDestroy> conf(rd_kafka_conf_new());
  std::array<char, 512> text{};
  for (const auto& [name, value] : properties) {
    const auto taken = rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text.data(), text.size());
    if (taken == RD_KAFKA_CONF_OK) continue;
    if (taken == RD_KAFKA_CONF_UNKNOWN) {
      const auto meant = property_meant(conf.get(), name);
      return fail(ErrorKind::invalid_input,
                  fmt::format("Kafka property {}: librdkafka has no such property{}", named(name),
                              meant.empty() ? "" : "; did you mean " + meant + "?"));
    }
    const std::string why = is_secret(name) ? "its value is not accepted" : text.data();
    return fail(ErrorKind::invalid_input, fmt::format("Kafka property {}: {}", named(name), why));
  }
  rd_kafka_conf_set_log_cb(conf.get(), log_line);
  rd_kafka_conf_set_events(conf.get(), events);
  rd_kafka_t* client = rd_kafka_new(type, conf.get(), text.data(), text.size());
  if (client == nullptr)
    return fail(ErrorKind::invalid_input, fmt::format("Kafka properties do not fit together: {}", text.data()));
  std::ignore = conf.release();  // librdkafka's own from here on
  return Client(client);
}

std::size_t configured_number(rd_kafka_t* client, const char* name, std::size_t otherwise) {
  std::array<char, 64> text{};
  std::size_t size = text.size();
  if (rd_kafka_conf_get(rd_kafka_conf(client), name, text.data(), &size) != RD_KAFKA_CONF_OK) return otherwise;
  const std::string_view digits = text.data();
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && end == digits.data() + digits.size() ? number : otherwise;
}

PartitionList partition_list(const std::vector<TopicPartition>& partitions) {
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const auto& entry : partitions)
    rd_kafka_topic_partition_list_add(list.get(), entry.topic.c_str(), entry.partition);
  return list;
}

PartitionList partition_list(const std::vector<StartingPoint>& points) {
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(points.size())));
  for (const auto& point : points)
    rd_kafka_topic_partition_list_add(list.get(), point.partition.topic.c_str(), point.partition.partition)->offset =
        point.offset;
  return list;
}

std::vector<TopicPartition> partitions_of(const rd_kafka_topic_partition_list_t* list) {
  std::vector<TopicPartition> partitions;
  if (list == nullptr) return partitions;
  partitions.reserve(static_cast<std::size_t>(list->cnt));
  for (int i = 0; i < list->cnt; ++i)
    partitions.push_back({.topic = list->elems[i].topic, .partition = list->elems[i].partition});
  return partitions;
}

Committed committed_of(const rd_kafka_topic_partition_t& entry) {
  Committed committed{.partition = {.topic = entry.topic, .partition = entry.partition}};
  if (entry.offset >= 0) committed.offset = entry.offset;
  if (entry.metadata != nullptr && entry.metadata_size > 0)
    committed.metadata.assign(static_cast<const char*>(entry.metadata), entry.metadata_size);
  return committed;
}

Error missing_right(std::string_view operation, std::string_view resource) {
  return {.kind = ErrorKind::forbidden,
          .detail = fmt::format("the right {} on {} is missing; grant it to this client's principal ('tokenrail topics "
                                "acls' prints the rights that each program needs)",
                                operation, resource)};
}

Error error_of(rd_kafka_resp_err_t code, std::string_view doing, std::string_view text) {
  ErrorKind kind = ErrorKind::unavailable;
  std::string_view hint;
  switch (code) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      kind = ErrorKind::not_found;
      hint = "create it with `tokenrail topics apply`";
      break;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      kind = ErrorKind::forbidden;
      hint = "grant it to this client's principal; 'tokenrail topics acls' prints the rights that each program needs";
      break;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__SSL:
      kind = ErrorKind::rejected;
      hint = "check the security.protocol, sasl.* and ssl.* properties";
      break;
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_REQUEST:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
      kind = ErrorKind::invalid_input;
      break;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
      kind = ErrorKind::rejected;
      break;
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      kind = ErrorKind::timed_out;
      break;
    default:
      break;
  }
  const std::string_view what = text.empty() ? std::string_view(rd_kafka_err2str(code)) : text;
  return {.kind = kind,
          .detail = hint.empty() ? fmt::format("{}: {}", doing, what) : fmt::format("{}: {} ({})", doing, what, hint)};
}

std::optional<Error> connection_refused(rd_kafka_resp_err_t code, std::string_view servers, std::string_view text) {
  const auto trouble = [&](ErrorKind kind, std::string_view what, const std::string& look_at) {
    return Error{.kind = kind, .detail = fmt::format("{} at {}: {} (check {})", what, servers, text, look_at)};
  };
  const auto no_tls = [&] {
    return trouble(
        ErrorKind::rejected, "no TLS connection to Kafka",
        fmt::format("that {} is what the brokers speak, and the ssl.* properties", named("security.protocol")));
  };
  switch (code) {
    case RD_KAFKA_RESP_ERR__SSL:
      return no_tls();
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return trouble(
          ErrorKind::rejected, "Kafka refuses the login",
          fmt::format("{}, {} and the user and password", named("security.protocol"), named("sasl.mechanism")));
    case RD_KAFKA_RESP_ERR__RESOLVE:
      return trouble(ErrorKind::unavailable, "no address is known for the Kafka broker", named("bootstrap.servers"));
    default:
      break;
  }
  // Some of the same has the code of any connection that ends: only librdkafka's words show it. A handshake that the
  // other side breaks off, and a broker that speaks TLS and hangs up on a client that does not.
  if (text.contains("SSL_HANDSHAKE")) return no_tls();
  if (text.contains("incorrect security.protocol"))
    return trouble(ErrorKind::rejected, "Kafka hangs up", named("security.protocol"));
  return std::nullopt;
}

bool passes_by_itself(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
      return true;
    default:
      return false;
  }
}

Record record_of(const rd_kafka_message_t& message) {
  Record record{.topic = rd_kafka_topic_name(message.rkt), .partition = message.partition, .offset = message.offset};
  if (message.key != nullptr) record.key.emplace(static_cast<const char*>(message.key), message.key_len);
  if (message.payload != nullptr) record.value.emplace(static_cast<const char*>(message.payload), message.len);
  rd_kafka_timestamp_type_t kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  record.timestamp_ms = rd_kafka_message_timestamp(&message, &kind);
  record.log_append_time = kind == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR && headers != nullptr) {
    const auto count = std::min(rd_kafka_header_cnt(headers), record_headers_max + 1);
    record.headers.reserve(count);
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0;
         i < count && rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      auto& content = record.headers.emplace_back(name, std::nullopt).second;
      if (value != nullptr) content.emplace(static_cast<const char*>(value), size);
    }
  }
  return record;
}

}  // namespace tokenrail::kafka::detail
