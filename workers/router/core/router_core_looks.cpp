// Whether the topics are those that the router has been working with: asked every few seconds, all logs at once, and
// sooner where something looks odd. Partitions draw the consequences (partition_identity.cpp); here stand the asking,
// what is common to a topic, and the cancellations.
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "workers/router/core/attempt.hpp"
#include "workers/router/core/planted.hpp"
#include "workers/router/core/router_core.hpp"

namespace tokenrail::router {

namespace {

// What looks odd once may look so for every record.
constexpr Millis look_again_soon{500};
// An answer that has not come until then never will.
constexpr Millis answer_max{60'000};
constexpr Millis cancellations_ask_again{1'000};
constexpr Millis told_once_in{60'000};
constexpr std::array logs{Log::chunks, Log::audit, Log::requests};

}  // namespace

std::vector<std::string> topic_problems(const topics::Names& names,
                                        const std::map<std::string, std::int32_t>& partitions) {
  std::vector<std::string> problems;
  const auto count = [&](const std::string& name) {
    const auto it = partitions.find(name);
    return it == partitions.end() ? 0 : it->second;
  };
  for (const auto& name : {names.requests, names.chunks, names.audit, names.dlq, names.cancellations}) {
    if (count(name) == 0) {
      problems.push_back(fmt::format("topic {} does not exist; run: tokenrail topics apply", name));
    }
  }
  for (const auto& name : {names.chunks, names.audit}) {
    if (count(name) == 0 || count(name) >= count(names.requests)) continue;
    problems.push_back(
        fmt::format("{} has {} partitions and {} has {}: requests in those without a pair wait; run: tokenrail topics "
                    "apply",
                    name, count(name), names.requests, count(names.requests)));
  }
  return problems;
}

void RouterCore::look_soon() {
  looks_.at = std::min(looks_.at, environment_.now().steady + look_again_soon);
  arm();
}

void RouterCore::log_replaced(Log log, std::int32_t partition) {
  note_replaced(topic_of(log), {partition});
  look_soon();
}

void RouterCore::look_now() {
  looks_.at = environment_.now().steady;
  look_step();
}

void RouterCore::look_step() {
  const auto now = environment_.now().steady;
  if (looks_.token != 0 && now < looks_.given_up_at) return;
  if (now < looks_.at || !joined_) return;
  looks_.asked.clear();
  looks_.cancellations.clear();  // of a look that was given up
  looks_.dead_letters.clear();
  std::vector<kafka::WitnessQuestion> questions;
  for (const auto& [number, partition] : partitions_) {
    auto& identity = partition->log_identity();
    const auto witnesses = identity.ask();
    for (const auto log : logs) {
      const auto& witness = witnesses[static_cast<std::size_t>(log)];
      if (!witness.knows()) continue;
      looks_.asked.push_back(
          {.log = log, .partition = number, .generation = partition->generation(), .version = identity.version()});
      questions.push_back({.partition = {.topic = topic_of(log), .partition = number}, .witness = witness});
    }
  }
  for (auto& [number, trail] : cancellation_trails_) {
    if (!trail.knows()) continue;
    looks_.cancellations.push_back(number);
    questions.push_back(
        {.partition = {.topic = options_.topics.cancellations, .partition = number}, .witness = trail.ask()});
  }
  // Written to and never read: that a log does not end before where it ended is all that is known of it.
  for (std::int32_t number = 0; number < dead_letter_partitions_; ++number) {
    looks_.dead_letters.push_back(number);
    questions.push_back({.partition = {.topic = options_.topics.dlq, .partition = number},
                         .witness = dead_letter_trails_[number].ask()});
  }
  looks_.token = ++next_question_;
  looks_.at = now + options_.look_interval;
  looks_.given_up_at = now + answer_max;
  questions_.look(looks_.token, std::move(questions));
}

void RouterCore::on_survey(std::uint64_t token, const Result<kafka::LogSurvey>& survey) {
  if (token != looks_.token) return;
  looks_.token = 0;
  const auto asked = std::exchange(looks_.asked, {});
  const auto cancellations = std::exchange(looks_.cancellations, {});
  const auto dead_letters = std::exchange(looks_.dead_letters, {});
  if (!survey) {
    // Brokers that do not answer are told of elsewhere.
    spdlog::debug("whether the topics are the same could not be asked: {}", survey.error().detail);
    look_step();
    after_event();
    return;
  }
  note_topics(survey->partitions);

  std::map<std::int32_t, LogIdentity::Answers> by_partition;
  std::map<std::string, std::vector<std::int32_t>> others;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto& [log, number, generation, version] = asked[i];
    auto* const owner = partition(number, generation);
    if (owner == nullptr || owner->log_identity().version() != version) continue;
    const auto& answer = survey->answers[i];
    by_partition[number][static_cast<std::size_t>(log)] = answer;
    if (answer && answer->verdict == kafka::LogVerdict::another) others[topic_of(log)].push_back(number);
  }
  for (std::size_t i = 0; i < cancellations.size(); ++i) {
    const auto& answer = survey->answers[asked.size() + i];
    if (answer && answer->verdict == kafka::LogVerdict::same) cancellation_trails_[cancellations[i]].same(answer->next);
    if (!answer || answer->verdict != kafka::LogVerdict::another) continue;
    others[options_.topics.cancellations].push_back(cancellations[i]);
    cancellation_trails_[cancellations[i]].clear();
    read_cancellations(cancellations[i], answer->newer_from);
  }
  for (std::size_t i = 0; i < dead_letters.size(); ++i) {
    const auto& answer = survey->answers[asked.size() + cancellations.size() + i];
    if (!answer) continue;
    auto& trail = dead_letter_trails_[dead_letters[i]];
    if (answer->verdict == kafka::LogVerdict::another) {
      others[options_.topics.dlq].push_back(dead_letters[i]);
      trail.clear();
    }
    trail.same(answer->next);
  }
  for (const auto& [topic, numbers] : others) note_replaced(topic, numbers);
  for (const auto& [number, looks] : by_partition) {
    const auto index = static_cast<std::size_t>(number);
    if (index < by_number_.size() && by_number_[index] != nullptr) by_number_[index]->on_looks(looks);
  }
  look_step();
  after_event();
}

void RouterCore::note_replaced(const std::string& topic, const std::vector<std::int32_t>& numbers) {
  const auto now = environment_.now().steady;
  // Its partitions may get their leaders one after the other.
  const auto [told, first] = replaced_at_.try_emplace(topic, now);
  if (!first && now - std::exchange(told->second, now) < told_once_in) {
    spdlog::info("{}: partitions {} begin again too", topic, fmt::join(numbers, ", "));
    return;
  }
  spdlog::warn(
      "{} is another topic than was read before: it was created again, or its log went back; partitions {} begin "
      "again",
      topic, fmt::join(numbers, ", "));
  metrics_.topics_replaced.add();
}

// Told once each, and shown for as long as it is so.
void RouterCore::note_topics(const std::map<std::string, std::int32_t>& partitions) {
  auto problems = topic_problems(options_.topics, partitions);
  for (const auto& problem : problems) {
    if (std::ranges::find(topic_problems_, problem) == topic_problems_.end()) spdlog::error("{}", problem);
  }
  if (problems.empty() && !topic_problems_.empty()) spdlog::info("the topics are as they should be again");
  topic_problems_ = std::move(problems);
  if (const auto it = partitions.find(options_.topics.dlq); it != partitions.end() && it->second > 0)
    dead_letter_partitions_ = it->second;
  if (const auto it = partitions.find(options_.topics.cancellations);
      it != partitions.end() && !cancellations_problem_.empty()) {
    spdlog::info("{} is there now", options_.topics.cancellations);
    cancellations_problem_.clear();
    set_cancellation_partitions(it->second);
    locate_cancellations();
  } else if (it != partitions.end() && it->second > cancellation_partitions_ && cancellation_partitions_ > 0) {
    spdlog::info("{} has {} partitions now", options_.topics.cancellations, it->second);
    for (auto number = cancellation_partitions_; number < it->second; ++number)
      read_cancellations(number, kafka::offset_beginning);
    cancellation_partitions_ = it->second;
  }
}

// --- cancellations --------------------------------------------------------------------------------------------------

// From as far back as they are remembered: a topic that is busy keeps hours of them.
void RouterCore::locate_cancellations() {
  const auto now = environment_.now();
  for (const auto number : cancellations_.unread()) {
    if (cancellation_trails_.contains(number)) continue;
    const auto token = ++next_question_;
    cancellations_asked_[token] = number;
    questions_.ask(token, {.partition = {.topic = options_.topics.cancellations, .partition = number},
                           .at = std::max(Millis(0), now.wall - options_.cancellation_window -
                                                         Millis(kafka::broker_clocks_apart_ms))});
  }
}

void RouterCore::cancellations_located(std::int32_t number, const Result<LogPlaces>& answer) {
  if (cancellation_trails_.contains(number)) return;
  if (answer) {
    read_cancellations(number, answer->at.value_or(answer->next));
    return;
  }
  spdlog::warn("where {} {} is to be read from could not be asked ({}); asking again", options_.topics.cancellations,
               number, answer.error().detail);
  locate_cancellations_at_ = environment_.now().steady + cancellations_ask_again;
  arm();
}

void RouterCore::read_cancellations(std::int32_t number, std::int64_t from) {
  cancellation_trails_.try_emplace(number);
  if (steady_ != nullptr)
    steady_->start({{.partition = {.topic = options_.topics.cancellations, .partition = number}, .offset = from}});
}

bool RouterCore::cancellations_read() const {
  if (cancellations_.unread().empty()) return true;
  return environment_.now().steady >= cancellations_until_ && !planted(Bug::waits_for_cancellations);
}

void RouterCore::notice_cancellations_unread() {
  const auto now = environment_.now().steady;
  if (now >= locate_cancellations_at_) {
    locate_cancellations_at_ = Millis::max();
    locate_cancellations();
  }
  if (cancellations_.unread().empty() || now < cancellations_until_ || std::exchange(cancellations_missed_, true))
    return;
  spdlog::warn(
      "{} could not be read to its end within {} s; requests start without it, and cancellations there may come too "
      "late",
      options_.topics.cancellations, options_.cancellations_wait.count() / 1000);
}

}  // namespace tokenrail::router
