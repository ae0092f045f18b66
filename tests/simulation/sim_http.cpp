#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "tests/simulation/clients.hpp"
#include "tests/simulation/world.hpp"

namespace tokenrail::simulation {

namespace {

std::string line(std::string_view text, bool done) {
  return fmt::format(R"({{"model":"m","message":{{"role":"assistant","content":"{}"}},"done":{}{}}}{})", text, done,
                     done ? R"(,"done_reason":"stop","prompt_eval_count":5,"eval_count":2)" : "", '\n');
}

std::string token(int call, int number) {
  return fmt::format("c{}.{} ", call, number);
}

/// What an earlier call has said, where the request asks to go on with that.
std::optional<std::string_view> said_before(std::string_view body) {
  constexpr std::string_view begin = R"("role":"assistant","content":")";
  const auto at = body.rfind(begin);
  if (at == std::string_view::npos) return std::nullopt;
  const auto text = body.substr(at + begin.size());
  return text.substr(0, text.find('"'));
}

}  // namespace

SimHttp::SimHttp(World& world, Process& process)
    : world_(world), process_(process), self_(std::make_shared<SimHttp*>(this)) {}

SimHttp::~SimHttp() = default;

http::TransferId SimHttp::start(http::Request request, http::Clocks clocks, http::Limits /*limits*/,
                                http::Listener& listener) {
  const auto id = ++last_;
  if (!process_.speaks()) return static_cast<http::TransferId>(id);
  const auto index = world_.request_with_marker(request.body);
  const auto& planned = world_.plan.requests[index];
  const bool unresolved = world_.no_such_host(request.url);
  // A call that comes to nobody is none of those that the plan speaks of.
  const auto before = static_cast<std::size_t>(unresolved ? world_.calls_of(index) : world_.calls_of(index)++);
  if (process_.calendar_is_right() && world_.kept == 0) world_.judge_deadline(index);
  Transfer transfer{
      .listener = &listener, .request = static_cast<int>(index), .tokens = planned.tokens, .streams = planned.stream};
  if (before < planned.behaviours.size() && !world_.healing()) transfer.behaviour = planned.behaviours[before];
  if (world_.provider_down()) transfer.behaviour = Behaviour::refuses;
  const bool fails = transfer.behaviour != Behaviour::answers;
  const auto before_it = said_before(request.body);
  transfer.continues = before_it.has_value();
  // A continuation without a word would leave nobody who has said the end.
  if (transfer.continues) transfer.tokens = std::max(1, transfer.tokens);
  if (unresolved) transfer.behaviour = Behaviour::refuses;
  transfer.call = world_.kept > 0
                      ? -1
                      : world_.oracle.call_started(world_.org_of(index), world_.id_of(index), fails && !unresolved);
  if (before_it && transfer.call >= 0) world_.oracle.call_continues(transfer.call, std::string(*before_it) + ' ');
  world_.trace.say(world_.scheduler.now(), "p{}: calls {} for {} (call {}{})", process_.id(), request.url,
                   world_.id_of(index), transfer.call, before_it ? ", continued" : "");
  world_.trace.note(world_.scheduler.now(), 8, static_cast<std::uint64_t>(process_.id()), index);
  auto& stored = transfers_[id] = transfer;
  plan(id, stored);
  if (clocks.total.count() > 0 && transfer.behaviour == Behaviour::falls_silent) {
    process_.later(std::chrono::duration_cast<Micros>(clocks.total), [self = std::weak_ptr(self_), id] {
      if (const auto alive = self.lock()) (*alive)->end(id, http::Ending::total_timeout);
    });
  }
  world_.moment(Moment::call_start, process_.id());
  return static_cast<http::TransferId>(id);
}

void SimHttp::cancel(http::TransferId id) {
  transfers_.erase(static_cast<std::uint64_t>(id));
}

void SimHttp::resume(http::TransferId id) {
  const auto it = transfers_.find(static_cast<std::uint64_t>(id));
  if (it == transfers_.end()) return;
  it->second.paused = false;
  plan(it->first, it->second);
}

void SimHttp::plan(std::uint64_t id, Transfer& transfer) {
  if (transfer.due || transfer.paused) return;
  transfer.due = true;
  const Micros gap(transfer.head_said && !world_.healing()
                       ? world_.plan.requests[static_cast<std::size_t>(transfer.request)].token_gap_us
                       : 0);
  process_.later(process_.delay(Stage::provider) + gap, [self = std::weak_ptr(self_), id] {
    if (const auto alive = self.lock()) (*alive)->step(id);
  });
}

bool SimHttp::say(std::uint64_t id, const std::string& bytes) {
  const bool more = transfers_.at(id).listener->on_body(bytes);
  const auto it = transfers_.find(id);
  if (it == transfers_.end()) return false;
  it->second.paused = !more;
  return true;
}

void SimHttp::end(std::uint64_t id, http::Ending ending) {
  const auto it = transfers_.find(id);
  if (it == transfers_.end()) return;
  auto* const listener = it->second.listener;
  transfers_.erase(it);
  listener->on_end({.ending = ending, .detail = "told by the plan"});
}

void SimHttp::step(std::uint64_t id) {
  const auto it = transfers_.find(id);
  if (it == transfers_.end()) return;
  auto& transfer = it->second;
  transfer.due = false;
  if (transfer.paused) return;
  if (transfer.behaviour == Behaviour::refuses) {
    end(id, http::Ending::connect_failed);
    return;
  }
  if (!transfer.head_said) {
    transfer.head_said = true;
    transfer.listener->on_head({.status = transfer.behaviour == Behaviour::busy ? 503 : 200});
    if (const auto still = transfers_.find(id); still != transfers_.end()) plan(id, still->second);
    return;
  }
  const bool whole = transfer.behaviour == Behaviour::answers;
  const int count = whole ? transfer.tokens : transfer.tokens / 2;
  if (transfer.behaviour != Behaviour::busy && transfer.streams && transfer.spoken < count) {
    // Some models begin with the blank that the text before has ended with, others go on behind it.
    const bool blank = transfer.continues && transfer.spoken == 0 && transfer.call % 2 == 0;
    const auto text = token(transfer.call, transfer.spoken++);
    if (transfer.call >= 0) world_.oracle.call_said(transfer.call, text);
    if (say(id, line(blank ? ' ' + text : text, false))) plan(id, transfers_.at(id));
    return;
  }
  switch (transfer.behaviour) {
    case Behaviour::answers: {
      std::string text;
      for (int i = 0; !transfer.streams && i < count; ++i) text += token(transfer.call, i);
      if (transfer.call >= 0) {
        world_.oracle.call_said(transfer.call, text);
        world_.oracle.call_ended_well(transfer.call);
      }
      if (say(id, line(text, true))) end(id, http::Ending::complete);
      return;
    }
    case Behaviour::busy:
      if (say(id, R"({"error":"server busy, please try again"})")) end(id, http::Ending::complete);
      return;
    case Behaviour::breaks:
      end(id, http::Ending::broken);
      return;
    case Behaviour::talks_nonsense:
      if (say(id, "{\"model\":\"m\",\"message\":{\"role\"\n")) end(id, http::Ending::complete);
      return;
    case Behaviour::falls_silent:
    case Behaviour::refuses:
      return;  // until somebody's clock runs out
  }
}

}  // namespace tokenrail::simulation
