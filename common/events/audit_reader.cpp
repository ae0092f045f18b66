// Reading audit events as far as folding the log needs.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "common/events/audit.hpp"
#include "common/events/commit_metadata.hpp"
#include "common/events/json_document.hpp"

namespace tokenrail::events {
namespace {

// A worker renews within seconds. With a longer lease a worker would have its requests wait for ever.
constexpr std::int64_t lease_ms_max = 24LL * 3'600'000;

constexpr std::array<std::pair<std::string_view, AuditFacts::Kind>, 6> kinds{
    {{llm_request_type, AuditFacts::Kind::request},
     {llm_response_type, AuditFacts::Kind::response},
     {router_claimed_type, AuditFacts::Kind::claimed},
     {router_released_type, AuditFacts::Kind::released},
     {router_continuing_type, AuditFacts::Kind::continuing},
     {requests_lost_type, AuditFacts::Kind::lost}}};

std::optional<std::int32_t> partition_of(const ObjectReader& record, std::string_view name) {
  const auto value = record.integer_if(name);
  if (!value || !std::in_range<std::int32_t>(*value)) {
    return std::nullopt;
  }
  return static_cast<std::int32_t>(*value);
}

/// Which field of the ids is missing; empty: none.
std::string_view read_ids(const ObjectReader& record, AttemptIds& ids) {
  const auto partition = partition_of(record, "sourcePartition");
  const auto offset = record.integer_if("sourceOffset");
  const auto attempt = record.integer_if("attempt");
  if (!partition) {
    return "sourcePartition";
  }
  if (!offset || *offset < 0) {
    return "sourceOffset";
  }
  if (!attempt || *attempt < 0) {
    return "attempt";
  }
  ids.source_partition = *partition;
  ids.source_offset = RequestOffset(*offset);
  ids.source_ms = std::max<std::int64_t>(-1, record.integer_if("sourceTimestamp").value_or(-1));
  ids.attempt = *attempt;
  ids.org_id = record.text("orgId");
  ids.request_id = record.text("requestId");
  ids.user_id = record.text("userId");
  if (ids.org_id.empty()) {
    return "orgId";
  }
  if (ids.request_id.empty()) {
    return "requestId";
  }
  return {};
}

/// False where an entry cannot be read: a list of attempts with a hole would have them closed while they run.
bool read_continuing(const ObjectReader& record, std::vector<ContinuedAttempt>& continuing) {
  const auto element = record.find("continuing");
  if (!element || !element->is_array()) {
    return false;
  }
  for (const auto entry : simdjson::dom::array(element->get_array().value_unsafe())) {
    const ObjectReader reader(entry);
    const auto offset = reader.integer_if("offset");
    const auto attempt = reader.integer_if("attempt");
    if (!offset || !attempt) {
      return false;
    }
    continuing.push_back({.offset = RequestOffset(*offset), .attempt = *attempt});
  }
  return true;
}

/// Nothing where the request was not routed, or the entry cannot be read.
std::optional<AnsweringModel> read_first_of_route(const ObjectReader& record) {
  const auto route = record.find("route");
  if (!route || !route->is_array()) {
    return std::nullopt;
  }
  const auto steps = route->get_array().value_unsafe();
  if (steps.begin() == steps.end()) {
    return std::nullopt;
  }
  const ObjectReader first(*steps.begin());
  AnsweringModel model{.provider = first.text("provider"), .name = first.text("modelName")};
  if (model.provider.empty() || model.name.empty()) {
    return std::nullopt;
  }
  return model;
}

}  // namespace

std::string_view name_of(AuditFacts::Kind kind) {
  const auto it = std::ranges::find(kinds, kind, &decltype(kinds)::value_type::second);
  return it == kinds.end() ? std::string_view() : it->first;
}

AuditFacts::Kind audit_kind(std::string_view type) {
  const auto it = std::ranges::find(kinds, type, &decltype(kinds)::value_type::first);
  return it == kinds.end() ? AuditFacts::Kind::unknown : it->second;
}

bool about_attempt(const AuditFacts& facts) {
  return facts.kind == AuditFacts::Kind::request || facts.kind == AuditFacts::Kind::response;
}

std::int32_t source_partition(const AuditFacts& facts) {
  if (facts.kind == AuditFacts::Kind::unknown) return -1;
  return about_attempt(facts) ? facts.ids.source_partition : facts.partition;
}

std::string_view worker_of(std::string_view instance) {
  return instance.substr(0, instance.find('-'));
}

Result<AuditFacts> parse_audit(std::string_view value) {
  const JsonDocument document(value);
  const auto read = read_object(document, "the audit event");
  if (!read) {
    return std::unexpected(read.error());
  }
  const auto& record = *read;
  const auto lacks = [](std::string_view field) {
    return fail(ErrorKind::invalid_input, fmt::format("the audit event has no usable {}", field));
  };

  AuditFacts facts;
  const auto type = record.text_if("type");
  if (!type) {
    return lacks("type");
  }
  facts.kind = audit_kind(*type);
  if (facts.kind == AuditFacts::Kind::unknown) {
    return facts;
  }

  const auto epoch = record.integer_if("epoch");
  if (!epoch || *epoch < 0 || *epoch > epoch_max) {
    return lacks("epoch");
  }
  facts.epoch = *epoch;
  facts.instance = record.text("instance");

  if (about_attempt(facts)) {
    facts.ids.epoch = facts.epoch;
    facts.ids.instance = facts.instance;
    if (const auto missing = read_ids(record, facts.ids); !missing.empty()) {
      return lacks(missing);
    }
    if (facts.kind == AuditFacts::Kind::request) {
      facts.routed_to = read_first_of_route(record);
    }
    if (facts.kind == AuditFacts::Kind::response) {
      facts.outcome = record.text("outcome");
      facts.cause = record.text("cause");
      if (const auto error = record.find("error"); error && facts.cause == cause_refused) {
        facts.error_code = ObjectReader(*error).text("code");
        facts.error_message = ObjectReader(*error).text("message");
      }
      facts.recovered = record.flag("recovered");
      facts.called = record.flag("called");
      facts.finish_reason = record.text("finishReason");
      facts.chunks = record.integer_if("chunks");
      if (const auto content = record.find("content")) facts.text_bytes = ObjectReader(*content).integer_if("bytes");
      if (const auto first = record.find("duplicateOf")) facts.duplicate_of = ObjectReader(*first).integer_if("offset");
      if (facts.outcome.empty()) {
        return lacks("outcome");
      }
    }
    return facts;
  }

  const auto partition = partition_of(record, "partition");
  if (!partition) {
    return lacks("partition");
  }
  facts.partition = *partition;
  if (facts.kind == AuditFacts::Kind::claimed) {
    return facts;
  }
  if (facts.kind == AuditFacts::Kind::lost) {
    const auto from = record.integer_if("from");
    const auto to = record.integer_if("to");
    if (!from || !to) {
      return lacks(from ? "to" : "from");
    }
    facts.lost_from = RequestOffset(*from);
    facts.lost_to = RequestOffset(*to);
    return facts;
  }
  if (!read_continuing(record, facts.continuing)) {
    return lacks("continuing");
  }
  facts.lease_ms = std::clamp<std::int64_t>(record.integer("leaseMs"), 0, lease_ms_max);
  return facts;
}

}  // namespace tokenrail::events
