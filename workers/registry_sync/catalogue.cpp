#include "workers/registry_sync/catalogue.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include "workers/registry_sync/waiter.hpp"

namespace tokenrail::registry_sync {

namespace {

constexpr std::size_t known_details_max = 20'000;
constexpr int timeouts_max = 3;  ///< one after the other, in one run

CatalogueFailure failure_of(const Fetched& fetched, const providers::Target& target) {
  const auto& provider = providers::ollama::provider();
  if (fetched.end.ending == http::Ending::too_large)
    return {.error_class = "too_large", .detail = "the list of models is larger than sync.list_bytes_max allows"};
  const auto classified = fetched.end.ending == http::Ending::complete
                              ? provider.classify(target, fetched.head, fetched.body)
                              : provider.classify(target, fetched.end);
  return {.error_class = classified.error_class, .detail = classified.failure.message};
}

bool well(const Fetched& fetched) {
  return fetched.end.ending == http::Ending::complete && fetched.head.status >= 200 && fetched.head.status < 300;
}

}  // namespace

struct CatalogueReader::Asking {
  const providers::Target& target;
  std::vector<Question> questions;
  Clock::time_point deadline;
  Patience patience{timeouts_max};
  std::size_t failed = 0;
  std::size_t left_out = 0;  ///< of those failed: not even asked
};

void CatalogueReader::remember(const std::string& key, Details details) {
  if (known_.size() >= known_details_max) known_.erase(known_.begin());
  known_.insert_or_assign(key, std::move(details));
}

http::Clocks CatalogueReader::clocks_until(Clock::time_point deadline) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  // Not 0, which would be no limit.
  return {.connect = options_.connect_time_max,
          .total = std::clamp(left, std::chrono::milliseconds(1), options_.answer_time_max)};
}

boost::asio::awaitable<void> CatalogueReader::learn(Asking* asking, std::size_t index) {
  const auto& question = asking->questions[index];
  if (asking->patience.exhausted() || Clock::now() >= asking->deadline) {
    ++asking->failed;
    ++asking->left_out;
    co_return;
  }
  auto request = providers::ollama::show_model(asking->target, question.name);
  const auto fetched = co_await fetcher_.fetch(std::move(request), clocks_until(asking->deadline),
                                               {.body_bytes_max = options_.show_bytes_max});
  const bool late =
      fetched.end.ending == http::Ending::total_timeout || fetched.end.ending == http::Ending::connect_timeout;
  if (late) {
    asking->patience.timed_out();
  } else {
    asking->patience.answered();
  }
  auto parsed = well(fetched) ? providers::ollama::parse_model_details(fetched.body)
                              : fail(ErrorKind::unavailable,
                                     fmt::format("status {}, {}", fetched.head.status, fetched.end.detail));
  if (!parsed) {
    spdlog::debug("no details of {}: {}", question.name, parsed.error().detail);
    ++asking->failed;
    if (in_vain_.size() >= known_details_max) in_vain_.erase(in_vain_.begin());
    in_vain_.insert(question.key);
    co_return;
  }
  in_vain_.erase(question.key);
  remember(question.key, std::move(*parsed));
}

boost::asio::awaitable<CatalogueReader::Answer> CatalogueReader::read(
    registry::Connection connection, const std::vector<registry::StoredModel>* stored) {
  const auto deadline = Clock::now() + options_.connection_time_max;
  const providers::Target target{.provider = connection.provider, .base_url = connection.base_url};
  auto request = providers::ollama::list_models(target);
  auto fetched =
      co_await fetcher_.fetch(std::move(request), clocks_until(deadline), {.body_bytes_max = options_.list_bytes_max});
  if (!well(fetched)) co_return std::unexpected(failure_of(fetched, target));
  auto listed = providers::ollama::parse_model_list(fetched.body);
  if (!listed) co_return std::unexpected(CatalogueFailure{.error_class = "not_json", .detail = listed.error().detail});

  auto selection = select_models(
      connection, std::move(listed->models), *stored, options_.models_max,
      [this](const std::string& key) { return known_.contains(key); },
      [this](const std::string& key) { return in_vain_.contains(key); });
  Asking asking{.target = target, .questions = std::move(selection.questions), .deadline = deadline};
  Lanes lanes(loop_, options_.show_concurrency);
  co_await lanes.run(asking.questions.size(), [&](std::size_t index) { return learn(&asking, index); });

  Catalogue catalogue{.list = {.unreadable = static_cast<std::int64_t>(listed->skipped), .beyond = selection.beyond},
                      .body = std::move(fetched.body),
                      .details_asked = asking.questions.size(),
                      .details_failed = asking.failed};
  if (listed->skipped > 0)
    catalogue.note = fmt::format("{} entries of the list cannot be read and are left out; {}", listed->skipped,
                                 listed->first_skipped);
  if (selection.beyond > 0) {
    if (!catalogue.note.empty()) catalogue.note += ". ";
    catalogue.note += fmt::format("{} new models are left out, {} the first of them: sync.models_max allows {}",
                                  selection.beyond, selection.first_beyond, options_.models_max);
  }
  for (const auto& model : selection.models) {
    const auto known = known_.find(memory_key(connection, model));
    catalogue.list.models.push_back(
        ollama_model(model, known == known_.end() ? nullptr : &known->second, connection.id));
  }
  if (asking.failed > 0) {
    spdlog::warn("{} of {} models of {} told no details{}; they are asked again at the next sync", asking.failed,
                 asking.questions.size(), connection.name,
                 asking.left_out == 0
                     ? std::string()
                     : fmt::format(", {} of them were not asked because answers took too long", asking.left_out));
  }
  co_return catalogue;
}

}  // namespace tokenrail::registry_sync
