#include "common/kafka/detail/properties.hpp"

#include <array>
#include <atomic>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "common/config/notation.hpp"
#include "common/config/settings.hpp"

namespace tokenrail::kafka::detail {
namespace {

// Nagle delays a small request by up to 40 ms; the rest makes clients come back soon after a broker was away, and keeps
// the log free of idle connections being closed.
const Properties common_defaults = {
    {"client.id", "tokenrail"},
    {"socket.nagle.disable", "true"},
    {"socket.keepalive.enable", "true"},
    {"reconnect.backoff.max.ms", "2000"},
    {"topic.metadata.refresh.fast.interval.ms", "100"},
    {"log.connection.close", "false"},
    {"statistics.interval.ms", "5000"},
    // A topic that grows, or is created again, is to be known within seconds.
    {"topic.metadata.refresh.interval.ms", "10000"},
};

const Properties group_defaults = {
    {"session.timeout.ms", "15000"},
    {"heartbeat.interval.ms", "1000"},
    // A loop that hangs is put out of the group soon: heartbeats come from librdkafka's own thread and would hide it.
    {"max.poll.interval.ms", "60000"},
    // What is fetched ahead is memory that back-pressure does not see, so its bytes are bounded. Its records hardly: a
    // partition found at that bound is not asked for again for a second, which one burst of small requests would cause
    // (librdkafka before 2.2 has no setting for that time). A single larger record still comes: brokers answer
    // with at least one record whatever the limits say.
    {"queued.min.messages", "20000"},
    {"queued.max.messages.kbytes", "8192"},
};

const Properties group_needs = {
    // Where nothing was committed every record in the log is still to be answered.
    {"auto.offset.reset", "earliest"},
    // What a sender has withdrawn is no request.
    {"isolation.level", "read_committed"},
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"enable.partition.eof", "false"},
    {"allow.auto.create.topics", "false"},
    // A commit that crosses a generation bump costs a cooperative member its whole assignment before librdkafka 2.10.
    {"partition.assignment.strategy", "range"},
};

const Properties reader_defaults = {
    // As above: a log is read a second later each time that all of its partitions have come to one of these bounds.
    // What a recovery reads should lie below them.
    {"queued.min.messages", "100000"},
    {"queued.max.messages.kbytes", "65536"},
    {"topic.metadata.propagation.max.ms", "5000"},
};

const Properties reader_needs = {
    {"enable.auto.commit", "false"},       {"enable.auto.offset.store", "false"}, {"enable.partition.eof", "true"},
    {"allow.auto.create.topics", "false"}, {"auto.offset.reset", "earliest"},
};

const Properties producer_defaults = {
    {"linger.ms", "1"},
    // A client that does not know its topic yet keeps asking so long. Then the topic counts as absent, is reported as
    // that, and another client asks.
    {"topic.metadata.propagation.max.ms", "5000"},
    // How long a broker waits for the replicas before it answers; then the batch is sent again. While it waits it takes
    // nothing else from this connection. So one partition whose replicas are slow or gone holds up the others of its
    // leader for that long: with librdkafka's 30 s, longer than some deadlines.
    {"request.timeout.ms", "3000"},
    // How long we wait for an answer before the connection counts as dead: of a host that vanished no packet says so,
    // and Kafka gives its partitions to other brokers within some ten seconds.
    {"socket.timeout.ms", "10000"},
    // Of one topic: each has a client of its own.
    {"queue.buffering.max.messages", "200000"},
    {"queue.buffering.max.kbytes", "131072"},
};

const Properties producer_needs = {
    {"enable.idempotence", "true"},
    {"enable.gapless.guarantee", "true"},
    {"acks", "all"},
    // A request behind one that is refused would leave a gap in the log. Also, with more than one in flight, librdkafka
    // 2.0.2's idempotent producer ends with a fatal error at many changes of leaders. It also once wrote a
    // batch twice (ADR 0005).
    {"max.in.flight.requests.per.connection", "1"},
    // A record that times out lets those behind it through. The clock over unreported records is the caller's.
    {"message.timeout.ms", "0"},
    {"partitioner", "murmur2_random"},
    {"allow.auto.create.topics", "false"},
};

struct RefusedProperty {
  std::string_view name;
  std::string_view why;
};

constexpr std::array<RefusedProperty, 2> refusals = {{
    {"transactional.id", "records are not produced in transactions; remove it"},
    {"group.protocol", "the classic group protocol is used; remove it"},
}};

Result<Properties> layered(std::initializer_list<const Properties*> below, const Properties& user,
                           std::initializer_list<const Properties*> above) {
  for (const auto& [name, value] : user)
    for (const auto& refusal : refusals)
      if (name == refusal.name)
        return fail(ErrorKind::invalid_input,
                    fmt::format("Kafka property {} cannot be set: {}", named(name), refusal.why));
  if (property(user, "bootstrap.servers").empty())
    return fail(ErrorKind::invalid_input,
                "Kafka property bootstrap.servers is not set: name at least one broker as host:port");
  Properties all;
  for (const auto* layer : below) all.insert(all.end(), layer->begin(), layer->end());
  all.insert(all.end(), user.begin(), user.end());
  for (const auto* layer : above) all.insert(all.end(), layer->begin(), layer->end());
  return all;
}

// librdkafka wants a group id even of a consumer that joins no group.
std::string reader_group_id() {
  static std::atomic<unsigned> count{0};
  static const unsigned process = std::random_device{}();
  return fmt::format("tokenrail-reader-{:08x}-{}", process, count.fetch_add(1));
}

}  // namespace

std::string_view property(const Properties& properties, std::string_view name) {
  for (auto entry = properties.rbegin(); entry != properties.rend(); ++entry)
    if (entry->first == name) return entry->second;
  return {};
}

std::string named(std::string_view name) {
  const std::string setting = fmt::format("kafka.{}", name);
  return fmt::format("{} ({})", name, config::environment_name({.name = setting}));
}

bool is_secret(std::string_view name) {
  return config::is_secret_property(name) || name.contains("jaas") || name.contains("sasl.username");
}

Result<Properties> group_consumer_properties(const Properties& user, const std::string& group_id) {
  if (group_id.empty()) return fail(ErrorKind::invalid_input, "a consumer group needs an id, and it is empty");
  const Properties id = {{"group.id", group_id}};
  return layered({&common_defaults, &group_defaults}, user, {&group_needs, &id});
}

namespace {

Result<Properties> reader_properties(const Properties& user, const char* isolation) {
  const Properties own = {{"group.id", reader_group_id()}, {"isolation.level", isolation}};
  return layered({&common_defaults, &reader_defaults}, user, {&reader_needs, &own});
}

// A question for a log's end is answered by the isolation too.
Result<Properties> admin_properties(const Properties& user, const char* isolation) {
  const Properties own = {
      {"statistics.interval.ms", "0"}, {"allow.auto.create.topics", "false"}, {"isolation.level", isolation}};
  return layered({&common_defaults}, user, {&own});
}

}  // namespace

Result<Properties> log_reader_properties(const Properties& user) {
  return reader_properties(user, "read_uncommitted");
}

Result<Properties> committed_reader_properties(const Properties& user) {
  return reader_properties(user, "read_committed");
}

Result<Properties> producer_properties(const Properties& user) {
  return layered({&common_defaults, &producer_defaults}, user, {&producer_needs});
}

Result<Properties> admin_properties(const Properties& user) {
  return admin_properties(user, "read_uncommitted");
}

Result<Properties> committed_admin_properties(const Properties& user) {
  return admin_properties(user, "read_committed");
}

}  // namespace tokenrail::kafka::detail
