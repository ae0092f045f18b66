#include "workers/registry_sync/catalogue.hpp"

#include <set>
#include <utility>

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include "workers/registry_sync/waiter.hpp"

namespace tokenrail::registry_sync {

namespace {

constexpr std::size_t known_details_max = 20'000;

CatalogueFailure failure_of(const Fetched& fetched, const providers::Target& target) {
  const auto& provider = providers::ollama::provider();
  if (fetched.end.ending == http::Ending::too_large)
    return {.error_class = "too_large", .detail = "the list of models is larger than sync.list_bytes_max allows"};
  const auto classified = fetched.end.ending == http::Ending::complete ? provider.classify(fetched.head, fetched.body)
                                                                       : provider.classify(fetched.end, target);
  return {.error_class = classified.error_class, .detail = classified.failure.message};
}

/// Under which details are remembered. A connection is believed about its own models only: the digest is what it says
/// of them.
std::string memory_key(const registry::Connection& connection, const providers::ListedModel& model) {
  // Without a digest details_key() holds the name, but cut.
  return fmt::format("{}\x1f{}\x1f{}", connection.id, details_key(model, connection.id),
                     model.digest.empty() ? model.name : "");
}

bool well(const Fetched& fetched) {
  return fetched.end.ending == http::Ending::complete && fetched.head.status >= 200 && fetched.head.status < 300;
}

}  // namespace

void CatalogueReader::remember(const std::string& key, Details details) {
  if (known_.size() >= known_details_max) known_.erase(known_.begin());
  known_.insert_or_assign(key, std::move(details));
}

boost::asio::awaitable<std::optional<CatalogueReader::Details>> CatalogueReader::details(providers::Target target) {
  auto request = providers::ollama::show_model(target);
  const http::Clocks clocks{.connect = options_.connect_time_max, .total = options_.answer_time_max};
  const auto fetched = co_await fetcher_.fetch(std::move(request), clocks, {.body_bytes_max = options_.show_bytes_max});
  if (!well(fetched)) {
    spdlog::debug("no details of {}: status {}, {}", target.upstream_name, fetched.head.status, fetched.end.detail);
    co_return std::nullopt;
  }
  auto parsed = providers::ollama::parse_model_details(fetched.body);
  if (!parsed) {
    spdlog::debug("no details of {}: {}", target.upstream_name, parsed.error().detail);
    co_return std::nullopt;
  }
  co_return std::move(*parsed);
}

boost::asio::awaitable<void> CatalogueReader::learn(std::string key, providers::Target target, std::size_t* failed) {
  auto answer = co_await details(std::move(target));
  if (answer) {
    remember(key, std::move(*answer));
  } else {
    ++*failed;
  }
}

boost::asio::awaitable<CatalogueReader::Answer> CatalogueReader::read(
    registry::Connection connection, const std::vector<registry::StoredModel>* stored) {
  const providers::Target target{
      .base_url = connection.base_url, .upstream_name = "", .auth_type = connection.auth_type};
  auto request = providers::ollama::list_models(target);
  const http::Clocks clocks{.connect = options_.connect_time_max, .total = options_.answer_time_max};
  auto fetched = co_await fetcher_.fetch(std::move(request), clocks, {.body_bytes_max = options_.list_bytes_max});
  if (!well(fetched)) co_return std::unexpected(failure_of(fetched, target));
  auto listed = providers::ollama::parse_model_list(fetched.body);
  if (!listed) co_return std::unexpected(CatalogueFailure{.error_class = "not_json", .detail = listed.error().detail});

  // Details stand in the rows under the digest they were told for: ask only for what has changed since.
  std::set<std::pair<std::string_view, std::string_view>> settled;
  for (const auto& model : *stored)
    if (model.told_elsewhere || !model.details_digest.empty())
      settled.emplace(model.state.model_name, model.told_elsewhere ? std::string_view() : model.details_digest);
  std::map<std::string, const providers::ListedModel*> missing;
  for (const auto& model : listed->models) {
    const bool has =
        settled.contains({model.name, details_key(model, connection.id)}) || settled.contains({model.name, ""});
    auto key = memory_key(connection, model);
    if (!has && !known_.contains(key) && storable_name(model.name)) missing.emplace(std::move(key), &model);
  }
  const std::vector<std::pair<std::string, const providers::ListedModel*>> questions(missing.begin(), missing.end());
  Catalogue catalogue{.list = {}, .body = std::move(fetched.body), .details_asked = questions.size()};
  Lanes lanes(loop_, options_.show_concurrency);
  co_await lanes.run(questions.size(), [&](std::size_t index) {
    const auto& [key, model] = questions[index];
    auto one = target;
    one.upstream_name = model->name;
    return learn(key, std::move(one), &catalogue.details_failed);
  });

  catalogue.list.unreadable = static_cast<std::int64_t>(listed->skipped);
  if (listed->skipped > 0) {
    spdlog::warn("{} entries in the list of {} cannot be read and are left out; {}", listed->skipped, connection.name,
                 listed->first_skipped);
  }
  for (const auto& model : listed->models) {
    const auto known = known_.find(memory_key(connection, model));
    catalogue.list.models.push_back(
        ollama_model(model, known == known_.end() ? nullptr : &known->second, connection.id));
  }
  if (catalogue.details_failed > 0) {
    spdlog::warn("{} of {} models of {} told no details; they are asked again at the next sync",
                 catalogue.details_failed, catalogue.details_asked, connection.name);
  }
  co_return catalogue;
}

}  // namespace tokenrail::registry_sync
