#include "workers/router/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>

#include <fmt/format.h>

#include "common/config/notation.hpp"
#include "common/providers/profile.hpp"
#include "common/topics/rules.hpp"

namespace tokenrail::router {

namespace {

using config::Kind;
using config::Setting;

constexpr std::int64_t ms_per_day = 86'400'000;
constexpr std::int64_t gibibyte = 1LL << 30;

/// Texts of defaults, for as long as the process runs: settings view them.
class Texts {
 public:
  std::string_view number(auto value) { return texts_.emplace_back(fmt::format("{}", value)); }
  std::string_view time(Millis value) { return texts_.emplace_back(config::duration_text(value.count())); }
  std::string_view bytes(std::size_t value) {
    return texts_.emplace_back(config::bytes_text(static_cast<std::int64_t>(value)));
  }

 private:
  std::deque<std::string> texts_{};
};

struct PolicyName {
  std::string_view name;
  events::ContentPolicy policy;
};
constexpr std::array content_policies{PolicyName{"none", events::ContentPolicy::none},
                                      PolicyName{"truncated", events::ContentPolicy::truncated},
                                      PolicyName{"full", events::ContentPolicy::full}};

std::string_view name_of(events::ContentPolicy policy) {
  return std::ranges::find(content_policies, policy, &PolicyName::policy)->name;
}

// Each default has one place: RouterOptions, where there is an option.
const RouterOptions plain{};
Texts texts{};
const Setting settings[] = {
    {.name = "router.group_id",
     .env = {},
     .kind = Kind::text,
     .default_value = "tokenrail-router",
     .help = "Consumer group that all routers of one installation share."},
    {.name = "router.in_flight_max",
     .env = {},
     .kind = Kind::integer,
     .default_value = texts.number(plain.in_flight_max),
     .help = "Attempts that run in this process at a time.",
     .min = 1,
     .max = 1'000'000},
    {.name = "router.org_in_flight_max",
     .env = {},
     .kind = Kind::integer,
     .default_value = texts.number(plain.org_in_flight_max),
     .help = "Attempts of one organisation that run in this process at a time.",
     .min = 1,
     .max = 1'000'000},
    {.name = "router.connection_in_flight_max",
     .env = {},
     .kind = Kind::integer,
     .default_value = texts.number(plain.connection_in_flight_max),
     .help = "Attempts of this process that call one connection at a time. Below router.org_in_flight_max, so that a "
             "provider that hangs does not take all places of an organisation.",
     .min = 1,
     .max = 1'000'000},
    {.name = "router.window_requests_max",
     .env = {},
     .kind = Kind::integer,
     .default_value = texts.number(plain.window_requests_max),
     .help = "Requests read and not complete; beyond it the router stops reading.",
     .min = 1,
     .max = 10'000'000},
    {.name = "router.window_bytes_max",
     .env = {},
     .kind = Kind::bytes,
     .default_value = texts.bytes(plain.window_bytes_max),
     .help = "Bytes of requests read and not complete; beyond it the router stops reading.",
     .min = 1'048'576,
     .max = 64 * gibibyte},
    {.name = "router.request_bytes_max",
     .env = {},
     .kind = Kind::bytes,
     .default_value = texts.bytes(plain.request_limits.value_bytes_max),
     .help = "Largest request that is taken; a larger one is answered with INVALID_REQUEST.",
     .min = 1'024,
     .max = gibibyte},
    topics::record_bytes_setting,
    {.name = "router.answer_bytes_max",
     .env = {},
     .kind = Kind::bytes,
     .default_value = texts.bytes(plain.decoder_limits.answer_bytes_max),
     .help = "Largest answer taken from a provider; a larger one ends as RESPONSE_TOO_LARGE.",
     .min = 1'024,
     .max = gibibyte},
    {.name = "router.answers_bytes_max",
     .env = {},
     .kind = Kind::bytes,
     .default_value = texts.bytes(plain.answers_bytes_max),
     .help = "Bytes held of all providers' answers (long lines, answers that are not streamed); beyond it the largest "
             "of the "
             "organisation that holds the most ends as RESPONSE_TOO_LARGE.",
     .min = 1'048'576,
     .max = 64 * gibibyte},
    {.name = "router.provider_line_bytes_max",
     .env = {},
     .kind = Kind::bytes,
     .default_value = texts.bytes(plain.decoder_limits.item_bytes_max),
     .help = "Longest line or event taken from a provider's stream.",
     .min = 1'024,
     .max = gibibyte},
    {.name = "router.connect_timeout",
     .env = {},
     .kind = Kind::duration,
     .default_value = texts.time(plain.connect_timeout),
     .help = "Clock 1 of a call: until the connection is established.",
     .min = 1,
     .max = ms_per_day},
    {.name = "router.first_token_timeout",
     .env = {},
     .kind = Kind::duration,
     .default_value = texts.time(plain.first_token_timeout),
     .help =
         "Clock 2 of a call: until the first token of a streamed answer; a local model may have to be loaded first.",
     .min = 1,
     .max = ms_per_day},
    {.name = "router.idle_timeout",
     .env = {},
     .kind = Kind::duration,
     .default_value = texts.time(plain.idle_timeout),
     .help = "Clock 3 of a call: between two tokens.",
     .min = 1,
     .max = ms_per_day},
    {.name = "router.total_timeout",
     .env = {},
     .kind = Kind::duration,
     .default_value = texts.time(plain.total_timeout),
     .help = "Clock 4 of a call: until its end.",
     .min = 1,
     .max = ms_per_day},
    {.name = "router.request_timeout_default",
     .env = {},
     .kind = Kind::duration,
     .default_value = texts.time(plain.request_timeout_default),
     .help = "Deadline of a request that has no timeoutMs, from its timestamp.",
     .min = 1,
     .max = ms_per_day},
    {.name = "router.calls_max",
     .env = {},
     .kind = Kind::integer,
     .default_value = texts.number(plain.retry.calls_max),
     .help = "Calls that one attempt makes before its first token, over all deployments.",
     .min = 1,
     .max = 100},
    {.name = "router.hedge_after",
     .env = {},
     .kind = Kind::duration,
     .default_value = texts.time(plain.hedge.after),
     .help = "A streamed call without a token for so long gets a second one beside it, at the next deployment of the "
             "route. 0: never.",
     .min = 0,
     .max = ms_per_day},
    {.name = "router.drain_timeout",
     .env = {},
     .kind = Kind::duration,
     .default_value = "30s",
     .help = "How long SIGTERM lets running attempts go on.",
     .min = 0,
     .max = ms_per_day},
    {.name = "router.drain_grace",
     .env = {},
     .kind = Kind::duration,
     .default_value = texts.time(plain.drain_grace),
     .help =
         "How long a worker that stops waits, behind the drain deadline, for the brokers to acknowledge what it ended.",
     .min = 0,
     .max = ms_per_day},
    {.name = "router.org_weights",
     .env = {},
     .kind = Kind::list,
     .default_value = "",
     .help = "Organisations that start more than one request in their turn: acme=4,globex=2. Others weigh 1."},
    {.name = "router.lease",
     .env = {},
     .kind = Kind::duration,
     .default_value = texts.time(plain.lease),
     .help = "After a hand-over, how long others wait for a sign of life before they close what this worker goes on "
             "with.",
     .min = 1'000,
     .max = ms_per_day},
    {.name = "router.lost_attempts_max",
     .env = {},
     .kind = Kind::integer,
     .default_value = texts.number(plain.lost_attempts_max),
     .help = "Workers lost over one request before it is ended as INTERNAL.",
     .min = 1,
     .max = 100},
    {.name = "router.dedupe_window",
     .env = {},
     .kind = Kind::duration,
     .default_value = texts.time(plain.dedupe_window),
     .help = "A requestId seen again within this time is answered as a duplicate. 0: never.",
     .min = 0,
     .max = ms_per_day},
    {.name = "router.partition_span_max",
     .env = {},
     .kind = Kind::integer,
     .default_value = texts.number(plain.partition_span_max),
     .help = "Offsets of one partition from the oldest unfinished request on that may be started.",
     .min = 1,
     .max = 100'000'000},
    {.name = "router.commit_interval",
     .env = {},
     .kind = Kind::duration,
     .default_value = texts.time(plain.commit_interval),
     .help = "How often progress is committed.",
     .min = 10,
     .max = 60'000},
    {.name = "router.unreported_max",
     .env = {},
     .kind = Kind::duration,
     .default_value = texts.time(plain.unreported_max),
     .help =
         "How long a partition of chat.chunks or llm.audit may acknowledge nothing before what runs there is given up.",
     .min = 1'000,
     .max = ms_per_day},
    {.name = "router.strict_default",
     .env = {},
     .kind = Kind::boolean,
     .default_value = texts.number(plain.resolution.strict_default),
     .help =
         "A request that names no model needs a default model to be set; otherwise the first routable one answers."},
    {.name = "audit.content",
     .env = {},
     .kind = Kind::choice,
     .default_value = name_of(plain.content_policy),
     .help = "How much of requests and answers llm.audit contains; secrets are removed in any case.",
     .choices = "none|truncated|full"},
    {.name = "audit.content_bytes_max",
     .env = {},
     .kind = Kind::bytes,
     .default_value = texts.bytes(plain.content_bytes_max),
     .help = "Bytes kept of one text where audit.content is truncated.",
     .min = 0,
     .max = gibibyte},
    {.name = "audit.redact",
     .env = {},
     .kind = Kind::list,
     .default_value = "",
     .help =
         "Regular expressions (RE2) of what is taken out of the texts and the metadata in llm.audit, beside secrets. A "
         "pattern with a comma is written in the configuration file."},
};

}  // namespace

Result<std::map<std::string, int>> parse_weights(const std::vector<std::string>& list) {
  constexpr int weight_max = 1'000;
  std::map<std::string, int> weights;
  for (const auto& entry : list) {
    const auto sign = entry.rfind('=');
    int weight = 0;
    const auto* const begin = sign == std::string::npos ? nullptr : entry.data() + sign + 1;
    const auto* const end = entry.data() + entry.size();
    const bool number =
        begin != nullptr && std::from_chars(begin, end, weight).ptr == end && weight >= 1 && weight <= weight_max;
    if (!number || sign == 0) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("router.org_weights: '{}' is not allowed; give an organisation's id and a whole number "
                              "from 1 to {}, as in acme=4",
                              entry, weight_max));
    }
    weights[entry.substr(0, sign)] = weight;
  }
  return weights;
}

std::span<const Setting> router_settings() {
  return settings;
}

RouterOptions router_options(const config::Values& values) {
  const auto size = [&](std::string_view name) { return static_cast<std::size_t>(values.integer(name)); };
  const auto bytes = [&](std::string_view name) { return static_cast<std::size_t>(values.bytes(name)); };
  RouterOptions options;
  options.topics = topics::Names::with_prefix(values.text("topic.prefix"));
  options.request_limits.value_bytes_max = bytes("router.request_bytes_max");
  options.decoder_limits = {.item_bytes_max = bytes("router.provider_line_bytes_max"),
                            .answer_bytes_max = bytes("router.answer_bytes_max")};
  options.resolution.adapters = providers::adapter_names();
  options.resolution.implied_tags = providers::implied_tags();
  options.resolution.strict_default = values.boolean("router.strict_default");
  options.retry.calls_max = static_cast<int>(values.integer("router.calls_max"));
  options.hedge.after = values.duration("router.hedge_after");
  options.in_flight_max = size("router.in_flight_max");
  options.org_in_flight_max = size("router.org_in_flight_max");
  options.connection_in_flight_max = size("router.connection_in_flight_max");
  options.window_requests_max = size("router.window_requests_max");
  options.window_bytes_max = bytes("router.window_bytes_max");
  options.answers_bytes_max = bytes("router.answers_bytes_max");
  // What the group takes for a lost member; librdkafka's own check of the number comes when the group is joined.
  if (const auto it = values.kafka_properties().find("session.timeout.ms"); it != values.kafka_properties().end()) {
    std::int64_t session_ms = 0;
    const auto& text = it->second;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), session_ms);
    if (read.ec == std::errc{} && session_ms > 0) options.session_timeout = Millis(session_ms);
  }
  options.drain_grace = values.duration("router.drain_grace");
  options.connect_timeout = values.duration("router.connect_timeout");
  options.first_token_timeout = values.duration("router.first_token_timeout");
  options.idle_timeout = values.duration("router.idle_timeout");
  options.total_timeout = values.duration("router.total_timeout");
  options.request_timeout_default = values.duration("router.request_timeout_default");
  options.org_weights = parse_weights(values.list("router.org_weights")).value_or(std::map<std::string, int>{});
  options.lease = values.duration("router.lease");
  options.lost_attempts_max = static_cast<int>(values.integer("router.lost_attempts_max"));
  options.dedupe_window = values.duration("router.dedupe_window");
  options.partition_span_max = values.integer("router.partition_span_max");
  options.commit_interval = values.duration("router.commit_interval");
  options.unreported_max = values.duration("router.unreported_max");
  options.record_bytes_max = bytes("router.record_bytes_max");
  options.partition_attempts_max = attempts_listed_max(options.record_bytes_max, options.partition_attempts_max);
  options.redaction =
      events::RedactionPatterns::compile(values.list("audit.redact")).value_or(events::RedactionPatterns());
  options.content_policy =
      std::ranges::find(content_policies, std::string_view(values.text("audit.content")), &PolicyName::name)->policy;
  options.content_bytes_max = options.content_policy == events::ContentPolicy::full ? options.record_bytes_max / 8
                                                                                    : bytes("audit.content_bytes_max");
  return options;
}

http::ClientOptions http_options(const RouterOptions& options, http::ClientOptions client) {
  const std::size_t calls_each = options.hedge.after > Millis(0) ? 2 : 1;
  client.connections_max = options.in_flight_max * calls_each;
  return client;
}

}  // namespace tokenrail::router
