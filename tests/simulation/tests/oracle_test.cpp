// A detector that has never been seen red is not one: each check of the oracle on a short history that it must accept,
// and on that history with one thing wrong.

#include "tests/simulation/oracle.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "common/events/audit.hpp"

namespace tokenrail::simulation {
namespace {

constexpr std::size_t bytes_max = 100'000;
constexpr std::int64_t epoch = 5;
constexpr std::int64_t first = 5'001;

/// Speaks to an oracle in a few words; one partition, requests r0, r1, … at offsets 0, 1, …
class Story {
 public:
  explicit Story(bool alone = false) : Story(Oracle::Excuses{.alone = alone}) {}
  explicit Story(const Oracle::Excuses& excuses) : oracle(1, excuses) {}

  Story& request(const std::string& id = "r0", bool garbage = false) {
    oracle.request_arrived(
        0, requests_++, {.org_id = "o", .request_id = id, .key = "k", .garbage = garbage, .deadline_ms = deadline_ms},
        now());
    return *this;
  }
  Story& refusable() {
    oracle.request_arrived(0, requests_++, {.org_id = "o", .request_id = "r0", .key = "k", .refusable = true}, now());
    return *this;
  }
  Story& wishing(events::OnInterrupt wish) {
    oracle.request_arrived(
        0, requests_++,
        {.org_id = "o", .request_id = "r0", .key = "k", .on_interrupt = wish, .deadline_ms = deadline_ms}, now());
    return *this;
  }
  Story& claim(std::int64_t number = epoch) {
    return audit(events::to_json(events::RouterClaimed{.epoch = number, .instance = instance(number)}));
  }
  Story& announce(std::int64_t attempt = first, std::int64_t offset = 0, const std::string& id = "r0") {
    return audit(events::to_json(events::LlmRequest{.ids = ids(attempt, offset, id)}, bytes_max));
  }
  Story& respond(events::Outcome outcome = events::Outcome::completed, std::int64_t attempt = first,
                 std::int64_t offset = 0, const std::string& id = "r0", std::int64_t writer = 0) {
    events::LlmResponse event{
        .ids = ids(attempt, offset, id), .outcome = outcome, .called = outcome != events::Outcome::rejected};
    if (writer > 0) event.ids.epoch = writer, event.ids.instance = instance(writer);
    if (outcome == events::Outcome::interrupted) {
      event.cause = "lost";
      if (!worker_is_well) oracle.gone(0);
    }
    return audit(events::to_json(event, bytes_max));
  }
  Story& release(std::int64_t attempt = first) {
    return audit(
        events::to_json(events::RouterReleased{.epoch = epoch,
                                               .instance = instance(epoch),
                                               .continuing = {{.offset = events::RequestOffset(0), .attempt = attempt}},
                                               .lease_ms = 1'000}));
  }
  /// The provider says a token, and it is published.
  Story& call(const std::string& id = "r0") {
    call_ = oracle.call_started("o", id);
    said_.clear();
    return *this;
  }
  /// It breaks off.
  Story& failing_call() {
    call_ = oracle.call_started("o", "r0", true);
    return *this;
  }
  /// The next call is given that text to go on with.
  Story& continuing(const std::string& text) {
    call();
    oracle.call_continues(call_, text);
    return *this;
  }
  /// The attempt breaks off behind a token, and ends for a restart.
  Story& breaks_off(int call, std::int64_t attempt = first) {
    const auto text = "c" + std::to_string(call) + ".0 ";
    return announce(attempt).failing_call().says(text).delta(0, text, attempt).restarts(attempt);
  }
  Story& restarts(std::int64_t attempt = first) {
    return audit(events::to_json(events::LlmResponse{.ids = ids(attempt, 0, "r0"),
                                                     .outcome = events::Outcome::interrupted,
                                                     .cause = std::string(events::cause_restart),
                                                     .called = true},
                                 bytes_max));
  }
  Story& says(const std::string& text) {
    oracle.call_said(call_, text);
    return *this;
  }
  Story& ends() {
    oracle.call_ended_well(call_);
    return *this;
  }
  Story& delta(std::int64_t seq, const std::string& text, std::int64_t attempt = first, const std::string& id = "r0") {
    std::string value;
    events::ChunkWriter(id, "o", attempt).write(value, seq, {.text = text});
    return chunk(value);
  }
  Story& terminal(std::int64_t seq, events::FinishReason reason = events::FinishReason::stop,
                  std::int64_t attempt = first, const std::string& id = "r0", std::int64_t offset = 0) {
    return end({.seq = seq, .finish_reason = reason, .source_offset = offset}, attempt, id);
  }
  /// The attempt ends as an error: for a call that failed, where nothing else is said.
  Story& fails(std::int64_t attempt = first, const std::string& id = "r0", std::int64_t offset = 0) {
    oracle.call_started("o", id, true);
    return error(events::ErrorCode::provider_unavailable, attempt, id, offset);
  }
  Story& error(events::ErrorCode code, std::int64_t attempt = first, const std::string& id = "r0",
               std::int64_t offset = 0) {
    return end({.finish_reason = events::FinishReason::error,
                .source_offset = offset,
                .failure = events::Failure::of(code, "told so")},
               attempt, id);
  }
  Story& commit(std::int64_t offset, const std::string& metadata) {
    oracle.committed(0, offset, metadata, now());
    return *this;
  }
  /// `committed`: up to there, where that was not said yet.
  Story& rest(std::int64_t committed = 0) {
    if (committed > 0) commit(committed, "");
    oracle.at_rest();
    return *this;
  }
  // Logs that go back.
  Story& requests_back(std::int64_t to) {
    oracle.requests_went_back(0, to, now());
    requests_ = to;
    return *this;
  }
  Story& audit_back(std::int64_t to) {
    oracle.audit_went_back(0, to, now());
    audits_ = to;
    return *this;
  }
  Story& chunks_back(std::int64_t to) {
    oracle.chunks_went_back(0, to, now());
    chunks_ = to;
    return *this;
  }
  /// Every router has noticed by then.
  Story& noticed() {
    passed_ += Micros(20'000'000);
    return *this;
  }
  Story& read(std::int64_t offset, bool mistaken = false) {
    oracle.request_read(0, offset, mistaken);
    return *this;
  }
  Story& lost(std::int64_t from, std::int64_t to, std::int64_t number = epoch) {
    return audit(events::to_json(events::RequestsLost{.epoch = number,
                                                      .instance = instance(number),
                                                      .from = events::RequestOffset(from),
                                                      .to = events::RequestOffset(to)}));
  }
  /// One request, from its claim to its end.
  Story& answered() {
    return request().claim().announce().call().says("c0.0 ").delta(0, "c0.0 ").ends().terminal(1).respond();
  }

  [[nodiscard]] std::string promise() const { return oracle.violation() ? oracle.violation()->promise : "kept"; }

  bool worker_is_well = false;  ///< also where its attempt is closed as lost
  Oracle oracle;
  std::optional<std::int64_t> now_ms{};
  static constexpr std::int64_t deadline_ms = 1'000;
  static constexpr std::int64_t audit_ms = 100;  ///< timestamp of the first audit event, each later one is 1 ms younger

 private:
  [[nodiscard]] Micros now() const { return Micros(audits_) + passed_; }
  static std::string instance(std::int64_t number) { return "i" + std::to_string(number); }
  static events::AttemptIds ids(std::int64_t attempt, std::int64_t offset, const std::string& id) {
    const auto number = attempt == 0 ? epoch : attempt / 1'000;
    return {.epoch = number,
            .instance = instance(number),
            .source_offset = events::RequestOffset(offset),
            .org_id = "o",
            .request_id = id,
            .attempt = attempt};
  }
  Story& audit(const std::string& value) {
    oracle.audit_appended(0, audits_, value, 0, now(), audit_ms + audits_);
    ++audits_;
    return *this;
  }
  Story& end(const events::TerminalChunk& terminal, std::int64_t attempt, const std::string& id) {
    std::string value;
    events::ChunkWriter(id, "o", attempt).write(value, terminal);
    return chunk(value);
  }
  Story& chunk(const std::string& value) {
    oracle.chunk_appended(0, chunks_++, value, Micros(chunks_), now_ms);
    return *this;
  }

  std::int64_t requests_ = 0;
  std::int64_t audits_ = 0;
  Micros passed_{0};
  std::int64_t chunks_ = 0;
  int call_ = -1;
  std::string said_{};
};

struct Case {
  const char* name;
  const char* promise;
  std::function<void(Story&)> tell;
};

TEST(Oracle, AcceptsWhatKeepsThePromisesAndNamesTheOneThatIsBroken) {
  using events::ErrorCode;
  using events::FinishReason;
  using events::OnInterrupt;
  using events::Outcome;
  const std::string all = "tr1 5 0 0";
  for (const auto& row : {
           Case{"a request takes the place of one that is gone, and is answered", "kept",
                [](Story& s) {
                  s.answered().commit(1, "").requests_back(0).request("r1").announce(5'002, 0, "r1");
                  s.fails(5'002, "r1").respond(Outcome::failed, 5'002, 0, "r1").rest(1);
                }},
           Case{"a request takes the place of one that was answered, and nobody answers it", "P1",
                [](Story& s) { s.answered().commit(1, "").requests_back(0).request("r1").rest(); }},
           Case{"what nobody had read is gone", "kept", [](Story& s) { s.request().claim().requests_back(0).rest(); }},
           Case{"what is there is told to be lost", "LOST",
                [](Story& s) { s.request().request("r1").claim().requests_back(1).lost(0, 2); }},
           Case{"what was taken for a request of a log that is gone is told to be lost, and answered", "kept",
                [](Story& s) {
                  s.answered().commit(1, "").requests_back(0).request("r1").read(0, true).lost(0, 1);
                  s.announce(5'002, 0, "r1").fails(5'002, "r1").respond(Outcome::failed, 5'002, 0, "r1").rest(1);
                }},
           Case{"what was taken for a request of a log that is gone is told to be lost, and nobody answers it", "P1",
                [](Story& s) {
                  s.answered().commit(1, "").requests_back(0).request("r1").read(0, true).lost(0, 1).rest();
                }},
           Case{"a commit passes what took the place of an answer", "P5",
                [](Story& s) { s.answered().commit(1, "").requests_back(0).request("r1").commit(1, ""); }},
           Case{"what was said about an answer is gone, and it runs again though it was committed", "P5",
                [](Story& s) { s.answered().commit(1, "").audit_back(0).claim(6).announce(6'001); }},
           Case{"what was said about an answer is gone, and then the end of the requests' log, and it runs again", "kept",
                [](Story& s) {
                  s.answered().commit(1, "").request("r1").audit_back(0).requests_back(1).claim(6).announce(6'001);
                }},
           Case{"the end of the requests' log is gone, then what was said about an answer, and it runs again", "kept",
                [](Story& s) {
                  s.answered().commit(1, "").request("r1").requests_back(1).audit_back(0).claim(6).announce(6'001);
                }},
           Case{"what was said about an answer is gone long after the requests' log went back, and it runs again", "P5",
                [](Story& s) {
                  s.answered().commit(1, "").request("r1").requests_back(1).noticed().audit_back(0).claim(6);
                  s.announce(6'001);
                }},
           Case{"what was said about an answer is gone, and it runs again", "kept",
                [](Story& s) {
                  s.answered().audit_back(0).claim(6).announce(6'001).fails(6'001);
                  s.respond(Outcome::failed, 6'001).rest(1);
                }},
           Case{"a request that came after the audit log was replaced has no answer", "P1",
                [](Story& s) { s.answered().commit(1, "").audit_back(0).request("r1").rest(); }},
           Case{"an attempt that was begun after the audit log was replaced has no response", "P4",
                [](Story& s) {
                  s.answered().commit(1, "").audit_back(0).claim(6).request("r1").announce(6'001, 1, "r1");
                  s.claim(7).announce(7'001, 1, "r1").fails(7'001, "r1", 1);
                  s.respond(Outcome::failed, 7'001, 1, "r1").rest(2);
                }},
           Case{"the first chunks of an answer are gone with their log", "kept",
                [](Story& s) {
                  s.request().claim().announce().call().says("c0.0 c0.1 ").delta(0, "c0.0 ").chunks_back(0);
                  s.delta(1, "c0.1 ").ends().terminal(2).respond().rest(1);
                }},
           Case{"an answer that begins after the chunk log was replaced has a hole", "P2",
                [](Story& s) {
                  s.answered().commit(1, "").chunks_back(0).request("r1").announce(5'002, 1, "r1").call("r1");
                  s.says("c1.0 c1.1 ").delta(1, "c1.1 ", 5'002, "r1");
                }},
           Case{"an answer", "kept", [&](Story& s) { s.answered().commit(1, all).rest(1); }},
           Case{"a seq is left out", "P2",
                [](Story& s) { s.request().claim().announce().call().says("c0.0 c0.1 ").delta(1, "c0.1 "); }},
           Case{"a seq comes twice", "P2",
                [](Story& s) {
                  s.request().claim().announce().call().says("c0.0 ").delta(0, "c0.0 ").delta(0, "c0.0 ");
                }},
           Case{"a chunk behind the terminal chunk", "P2", [](Story& s) { s.answered().delta(2, "c0.1 "); }},
           Case{"what nobody said", "P2",
                [](Story& s) { s.request().claim().announce().call().says("c0.0 ").delta(0, "c0.7 "); }},
           Case{"a truncated answer called whole", "P2",
                [](Story& s) {
                  s.request().claim().announce().call().says("c0.0 c0.1 ").delta(0, "c0.0 ").ends().terminal(1);
                }},
           Case{"a broken call called whole", "P2",
                [](Story& s) { s.request().claim().announce().call().says("c0.0 ").delta(0, "c0.0 ").terminal(1); }},
           Case{"an empty answer", "kept",
                [](Story& s) { s.request().claim().announce().call().ends().terminal(0).respond().rest(1); }},
           Case{"an answer dropped whole and called an answer", "P2",
                [](Story& s) { s.request().claim().announce().call().says("c0.0 c0.1 ").ends().terminal(0); }},
           Case{"a broken call that said nothing, called whole", "P2",
                [](Story& s) { s.request().claim().announce().call().terminal(0); }},
           Case{"one empty answer told for two attempts", "P2",
                [](Story& s) {
                  s.request().claim().announce().call().ends().claim(6).announce(6'001);
                  s.terminal(0).terminal(0, FinishReason::stop, 6'001);
                }},
           Case{"a request is refused though its model is there", "REASON",
                [](Story& s) { s.request().claim().announce().error(ErrorCode::model_not_found); }},
           Case{"a model that is not there is refused", "kept",
                [](Story& s) {
                  s.refusable().claim().announce().error(ErrorCode::model_not_found).respond(Outcome::rejected).rest(1);
                }},
           Case{"a model that is not there answers", "REASON",
                [](Story& s) {
                  s.refusable().claim().announce().call().says("c0.0 ").delta(0, "c0.0 ").ends().terminal(1);
                }},
           Case{"cancelled though nobody asked", "REASON",
                [](Story& s) { s.request().claim().announce().terminal(0, FinishReason::cancelled); }},
           Case{"cancelled because somebody asked", "kept",
                [](Story& s) {
                  s.request().oracle.cancelled("o", "r0");
                  s.claim().announce().terminal(0, FinishReason::cancelled).respond(Outcome::cancelled).rest(1);
                }},
           Case{"the provider is blamed for a call that goes well", "REASON",
                [](Story& s) {
                  s.request().claim().announce().call().says("c0.0 ").error(ErrorCode::provider_unavailable);
                }},
           Case{"the provider is blamed for a call that its worker could not hear", "kept",
                [](Story& s) {
                  s.request().claim().announce().oracle.disturbed(0);
                  s.error(ErrorCode::provider_timeout);
                }},
           Case{"its time is told to be over before it is", "REASON",
                [](Story& s) {
                  s.now_ms = Story::deadline_ms - 10;
                  s.request().claim().announce().error(ErrorCode::deadline_exceeded);
                }},
           Case{"its time is over", "kept",
                [](Story& s) {
                  s.now_ms = Story::deadline_ms;
                  s.request().claim().announce().error(ErrorCode::deadline_exceeded).respond(Outcome::rejected).rest(1);
                }},
           Case{"given up as if five workers had been lost", "REASON",
                [](Story& s) { s.request().claim().announce().error(ErrorCode::internal); }},
           Case{"told that nobody can know, though everything is there", "REASON",
                [](Story& s) { s.request().claim().announce().error(ErrorCode::interrupted); }},
           Case{"closed as lost with its worker, which is well", "CAUSE",
                [](Story& s) {
                  s.worker_is_well = true;
                  s.request().claim().announce().claim(6).respond(Outcome::interrupted, first, 0, "r0", 6);
                }},
           Case{"closed as lost with its worker", "kept",
                [](Story& s) { s.request().claim().announce().claim(6).respond(Outcome::interrupted, first, 0, "r0", 6); }},
           Case{"its terminal chunk lay there, and it is closed as interrupted", "P3",
                [](Story& s) {
                  s.request().claim().announce().fails().claim(6).respond(Outcome::interrupted, first, 0, "r0", 6);
                }},
           Case{"its terminal chunk was deleted, and the next owner but one runs it", "P3",
                [](Story& s) {
                  s.request().claim().announce().fails().claim(6).oracle.chunks_cut(0, 1);
                  s.respond(Outcome::interrupted, first, 0, "r0", 6).claim(7).announce(7'001);
                  s.call().says("c1.0 ").delta(0, "c1.0 ", 7'001);
                }},
           Case{"its terminal chunk was deleted, and it ends uncalled", "kept",
                [](Story& s) {
                  s.request().claim().announce().fails().claim(6).oracle.chunks_cut(0, 1);
                  s.respond(Outcome::interrupted, first, 0, "r0", 6).announce(6'001);
                  s.error(ErrorCode::interrupted, 6'001).respond(Outcome::rejected, 6'001, 0, "r0", 6).rest(1);
                }},
           Case{"its terminal chunk was deleted, and it runs again", "P3",
                [](Story& s) {
                  s.request().claim().announce().fails().claim(6).oracle.chunks_cut(0, 1);
                  s.respond(Outcome::interrupted, first, 0, "r0", 6).announce(6'001);
                  s.call().says("c1.0 ").delta(0, "c1.0 ", 6'001);
                }},
           Case{"a chunk before the llm.request", "P4",
                [](Story& s) { s.request().claim().call().says("c0.0 ").delta(0, "c0.0 "); }},
           Case{"two llm.requests", "P4", [](Story& s) { s.request().claim().announce().announce(); }},
           Case{"an answer without its terminal chunk", "P4",
                [](Story& s) { s.request().claim().announce().respond(); }},
           Case{"an answer breaks off and is run again", "kept",
                [](Story& s) {
                  s.wishing(OnInterrupt::restart).claim().breaks_off(0).announce(5'002).call().says("c1.0 ");
                  s.delta(0, "c1.0 ", 5'002).ends().terminal(1, FinishReason::stop, 5'002);
                  s.respond(Outcome::completed, 5'002).rest(1);
                }},
           Case{"an answer breaks off, and no attempt follows", "P1",
                [](Story& s) { s.wishing(OnInterrupt::restart).claim().breaks_off(0).rest(); }},
           Case{"it is run again though its sender wants the error", "RESTART",
                [](Story& s) { s.wishing(OnInterrupt::error).claim().breaks_off(0); }},
           Case{"it is run again though no call failed", "RESTART",
                [](Story& s) {
                  s.wishing(OnInterrupt::restart).claim().announce().call().says("c0.0 ").delta(0, "c0.0 ").restarts();
                }},
           Case{"it is run again behind its end", "RESTART",
                [](Story& s) { s.wishing(OnInterrupt::restart).claim().announce().fails().restarts(); }},
           Case{"it is run again twice", "kept",
                [](Story& s) { s.wishing(OnInterrupt::restart).claim().breaks_off(0).breaks_off(1, 5'002); }},
           Case{"it is run again too often", "RESTART",
                [](Story& s) {
                  s.wishing(OnInterrupt::restart).claim().breaks_off(0).breaks_off(1, 5'002).breaks_off(2, 5'003);
                }},
           Case{"an answer is continued by another call", "kept",
                [](Story& s) {
                  s.wishing(OnInterrupt::resume).claim().announce().failing_call().says("c0.0 ").delta(0, "c0.0 ");
                  s.continuing("c0.0 ").says("c1.0 ").delta(1, "c1.0 ").ends().terminal(2).respond().rest(1);
                }},
           Case{"a continuation repeats a blank", "P2",
                [](Story& s) {
                  s.wishing(OnInterrupt::resume).claim().announce().failing_call().says("c0.0 ").delta(0, "c0.0 ");
                  s.continuing("c0.0 ").says("c1.0 ").delta(1, " c1.0 ");
                }},
           Case{"a continuation is not given all that was published", "P2",
                [](Story& s) {
                  s.wishing(OnInterrupt::resume).claim().announce().failing_call().says("c0.0 c0.1 ");
                  s.delta(0, "c0.0 ").delta(1, "c0.1 ").continuing("c0.0 ").says("c1.0 ").delta(2, "c1.0 ");
                }},
           Case{"a call begins the answer once more", "P2",
                [](Story& s) {
                  s.wishing(OnInterrupt::resume).claim().announce().failing_call().says("c0.0 ").delta(0, "c0.0 ");
                  s.call().says("c1.0 ").delta(1, "c1.0 ");
                }},
           Case{"no response at the end", "P1", [](Story& s) { s.request().claim().announce().fails().rest(); }},
           Case{"an open attempt beside a complete one", "P4",
                [](Story& s) {
                  s.request().claim().announce().claim(6).announce(6'001).fails(6'001);
                  s.respond(Outcome::failed, 6'001).rest(1);
                }},
           Case{"closed as interrupted and run again", "kept",
                [](Story& s) {
                  s.request().claim().announce().claim(6).respond(Outcome::interrupted, first, 0, "r0", 6);
                  s.announce(6'001).fails(6'001).respond(Outcome::failed, 6'001).rest(1);
                }},
           Case{"a complete request runs again", "P5", [](Story& s) { s.answered().claim(6).announce(6'001); }},
           Case{"a terminal chunk lay there and it runs again", "P3",
                [](Story& s) {
                  s.request().claim().announce().fails().claim(6);
                  s.respond(Outcome::interrupted, first, 0, "r0", 6).announce(6'001);
                }},
           Case{"a terminal chunk that came behind the claim", "kept",
                [](Story& s) {
                  s.request().claim().announce().claim(6).fails();
                  s.respond(Outcome::interrupted, first, 0, "r0", 6).announce(6'001);
                }},
           Case{"handed over in order and run again", "P3",
                [](Story& s) {
                  s.request().claim().announce().release();
                  s.oracle.handed_over(0, 0, Micros(0));
                  s.claim(6).respond(Outcome::interrupted, first, 0, "r0", 6).announce(6'001);
                }},
           Case{"handed over, and its worker died", "kept",
                [](Story& s) {
                  s.request().claim().announce().release();
                  s.oracle.handed_over(0, 0, Micros(0));
                  s.oracle.disturbed(0);
                  s.claim(6).respond(Outcome::interrupted, first, 0, "r0", 6).announce(6'001);
                }},
           Case{"its lease had not run out when its terminal chunk came", "P3",
                [](Story& s) {
                  s.request().claim().announce().release().claim(6).fails();
                  s.respond(Outcome::interrupted, first, 0, "r0", 6).announce(6'001);
                }},
           Case{"a commit passes an incomplete request", "P5", [&](Story& s) { s.request().claim().commit(1, all); }},
           Case{"a commit passes what its worker answered after it was handed over, whose beginning retention has taken",
                "kept",
                [&](Story& s) {
                  s.request().claim().announce().release();
                  s.oracle.audit_cut(0);
                  s.claim(6).call().says("c0.0 ").delta(0, "c0.0 ").ends().terminal(1).respond().commit(1, all);
                }},
           Case{"a commit passes what it answered late, though it was not handed over, where retention has been", "P5",
                [&](Story& s) {
                  s.request().claim().announce();
                  s.oracle.audit_cut(0);
                  s.claim(6).call().says("c0.0 ").delta(0, "c0.0 ").ends().terminal(1).respond().commit(1, all);
                }},
           Case{"a commit beyond the log", "P5", [&](Story& s) { s.answered().commit(2, all); }},
           Case{"the audit tail would begin behind an event", "METADATA",
                [](Story& s) { s.request().claim().announce().commit(0, "tr1 5 2 0"); }},
           Case{"the chunk tail would begin behind a terminal chunk", "METADATA",
                [](Story& s) { s.request().claim().announce().fails().commit(0, "tr1 5 1 1"); }},
           Case{"a commit of one who cannot have noticed that the audit log went back", "kept",
                [](Story& s) {
                  s.request().claim().announce().audit_back(1).announce(5'002).commit(0, "tr1 5 2 0 log=/2:2:100/");
                }},
           Case{"the same when it has been noticed", "METADATA",
                [](Story& s) {
                  s.request().claim().announce().audit_back(1).announce(5'002).noticed();
                  s.commit(0, "tr1 5 2 0 log=/2:2:100/");
                }},
           Case{"the same of one who has claimed since", "METADATA",
                [](Story& s) {
                  s.request().claim().announce().audit_back(1).claim(6).announce(6'001);
                  s.commit(0, "tr1 6 3 0 at=5 log=/3:3:100/");
                }},
           Case{"metadata without a bound", "BOUNDS",
                [](Story& s) { s.answered().commit(1, "tr1 5 0 0 " + std::string(5'000, 'x')); }},
           Case{"the next of its key begins too early", "ORDER",
                [](Story& s) {
                  s.request().request("r1").claim().announce().announce(first, 1, "r1");
                  s.call().says("c0.0 ").delta(0, "c0.0 ").call("r1").says("c1.0 ").delta(0, "c1.0 ", first, "r1");
                }},
           Case{"one ends uncalled, out of turn", "kept",
                [](Story& s) {
                  s.request().request("r1").claim().announce().announce(first, 1, "r1");
                  s.call().says("c0.0 ").delta(0, "c0.0 ").fails(first, "r1", 1);
                }},
           Case{"the next of its key begins before anybody can have noticed the one that is in an old one's place",
                "kept",
                [](Story& s) {
                  s.answered().read(0).requests_back(0).request("r1").request("r2").announce(first, 1, "r2");
                  s.call("r2").says("c1.0 ").delta(0, "c1.0 ", first, "r2").announce(first, 0, "r1");
                  s.call("r1").says("c2.0 ").delta(0, "c2.0 ", first, "r1");
                }},
           Case{"the next of its key begins when that has been noticed", "ORDER",
                [](Story& s) {
                  s.answered().read(0).requests_back(0).request("r1").request("r2").noticed();
                  s.announce(first, 1, "r2").call("r2").says("c1.0 ").delta(0, "c1.0 ", first, "r2");
                  s.announce(first, 0, "r1").call("r1").says("c2.0 ").delta(0, "c2.0 ", first, "r1");
                }},
           Case{"the next of its key begins before one in the place of one that nobody had read", "ORDER",
                [](Story& s) {
                  s.answered().requests_back(0).request("r1").request("r2").announce(first, 1, "r2");
                  s.call("r2").says("c1.0 ").delta(0, "c1.0 ", first, "r2").announce(first, 0, "r1");
                  s.call("r1").says("c2.0 ").delta(0, "c2.0 ", first, "r1");
                }},
           Case{"a duplicate is run", "DEDUPE", [](Story& s) { s.answered().request().announce(5'002, 1); }},
           Case{"a duplicate is answered", "kept",
                [](Story& s) {
                  s.answered().request().terminal(0, FinishReason::duplicate, 0, "r0", 1);
                  s.respond(Outcome::duplicate, 0, 1).rest(2);
                }},
           Case{"the first is answered as a duplicate of one that was run before anybody can have noticed it", "kept",
                [](Story& s) {
                  s.answered().read(0).requests_back(0).request("r1").request("r1").read(1, true);
                  s.announce(first, 1, "r1").call("r1").says("c1.0 ").delta(0, "c1.0 ", first, "r1").ends();
                  s.terminal(1, FinishReason::stop, first, "r1", 1).respond(Outcome::completed, first, 1, "r1");
                  s.terminal(0, FinishReason::duplicate, 0, "r1", 0);
                }},
           Case{"the first is answered as a duplicate of one that was not run", "DEDUPE",
                [](Story& s) {
                  s.answered().read(0).requests_back(0).request("r1").request("r1").read(1, true);
                  s.terminal(0, FinishReason::duplicate, 0, "r1", 0);
                }},
           Case{"what is no duplicate is answered as one", "DEDUPE",
                [](Story& s) { s.request().terminal(0, FinishReason::duplicate, 0, "r0", 0); }},
           Case{"the response and the terminal chunk disagree", "CONSISTENCY",
                [](Story& s) { s.request().claim().announce().fails().respond(Outcome::completed); }},
           Case{"readers wait for ever", "P1",
                [](Story& s) {
                  s.request().claim().announce().call().says("c0.0 ").delta(0, "c0.0 ");
                  s.respond(Outcome::interrupted).rest();
                }},
           Case{"a request lies in no topic at all", "P1", [](Story& s) { s.request("r0", true).rest(); }},
           Case{"everything is complete and nothing is committed", "P1", [](Story& s) { s.answered().rest(); }},
       }) {
    Story story;
    row.tell(story);
    const auto promise = story.promise();
    const auto& violation = story.oracle.violation();
    EXPECT_EQ(promise, row.promise) << row.name << ": " << (violation ? violation->text : "");
  }
}

// One worker that nothing else strikes.
TEST(Oracle, HoldsAWorkerThatIsWellToWhatItHadReadOfALogThatIsGone) {
  Story silent(true);
  silent.request().claim().read(0).requests_back(0).rest();
  EXPECT_EQ(silent.promise(), "LOST");
  Story told(true);
  told.request().claim().read(0).requests_back(0).lost(0, 1).rest();
  EXPECT_EQ(told.promise(), "kept");
  Story unread(true);
  unread.request().claim().requests_back(0).rest();
  EXPECT_EQ(unread.promise(), "kept");
}

// A request that came again behind the window is run once more, and its readers know both runs by one name.
TEST(Oracle, WaitsForNoRunOfARecordThatIsGone) {
  const auto half_run = [](Story& s) {
    s.answered().request().read(1).announce(5'002, 1).call().says("c1.0 ").delta(0, "c1.0 ", 5'002);
  };
  Story gone({.calendars = true});
  half_run(gone);
  gone.respond(events::Outcome::interrupted, 5'002, 1).requests_back(1).rest(1);
  EXPECT_EQ(gone.promise(), "kept") << (gone.oracle.violation() ? gone.oracle.violation()->text : "");
  Story there({.calendars = true});
  half_run(there);
  there.respond(events::Outcome::interrupted, 5'002, 1).rest(1);
  EXPECT_EQ(there.promise(), "P1");
}

}  // namespace
}  // namespace tokenrail::simulation
