#include "common/events/cancellation.hpp"

#include "common/events/chat_request.hpp"
#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::events {

std::string to_json(const Cancellation& cancellation) {
  std::string value;
  JsonWriter json(value);
  json.begin_object();
  json.field("orgId", cancellation.org_id);
  json.field("requestId", cancellation.request_id);
  if (!cancellation.reason.empty()) json.field("reason", cancellation.reason);
  json.end_object();
  return value;
}

Result<Cancellation> parse_cancellation(const std::optional<std::string>& value) {
  if (!value) return fail(ErrorKind::invalid_input, "the record has no value");
  const JsonDocument document(*value);
  const auto read = read_object(document, "the cancellation");
  if (!read) return std::unexpected(read.error());
  Cancellation cancellation{
      .org_id = read->text("orgId"), .request_id = read->text("requestId"), .reason = read->text("reason")};
  if (cancellation.org_id.empty() || cancellation.request_id.empty())
    return fail(ErrorKind::invalid_input, "the cancellation has no orgId or no requestId");
  const auto id_bytes_max = RequestLimits{}.id_bytes_max;
  if (cancellation.org_id.size() > id_bytes_max || cancellation.request_id.size() > id_bytes_max)
    return fail(ErrorKind::invalid_input, "the cancellation's ids are longer than a request's may be");
  return cancellation;
}

}  // namespace tokenrail::events
