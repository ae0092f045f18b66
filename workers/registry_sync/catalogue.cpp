#include "workers/registry_sync/catalogue.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include "common/async/bounded_parallel.hpp"
#include "common/events/json_scan.hpp"
#include "workers/registry_sync/loop_step.hpp"

namespace tokenrail::registry_sync {

namespace {

constexpr std::size_t known_details_max = 20'000;
constexpr int timeouts_max = 3;                                ///< one after the other, in one run
constexpr std::size_t answers_bytes_max = 32UL * 1024 * 1024;  ///< about single models, that one run keeps

CatalogueFailure failure_of(const http::Fetched& fetched, const providers::Provider& provider,
                            const providers::Target& target) {
  if (fetched.end.ending == http::Ending::too_large)
    return {.error_class = "too_large", .detail = "the list of models is larger than sync.list_bytes_max allows"};
  if (fetched.end.ending != http::Ending::complete) {
    const auto failure = provider.classify(target, fetched.end);
    return {.error_class = failure.error_class, .detail = failure.failure.message};
  }
  // The first time before a part of it is quoted, which may end within the key; then for a key that was escaped there.
  auto body = fetched.body;
  providers::redact_credential(body, target.credential);
  auto failure = provider.classify(target, fetched.head, body);
  providers::redact_credential(failure.failure.message, target.credential);
  return {.error_class = failure.error_class, .detail = std::move(failure.failure.message)};
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool well(const http::Fetched& fetched) {
  return fetched.end.ending == http::Ending::complete && fetched.head.status >= 200 && fetched.head.status < 300;
}

}  // namespace

struct CatalogueReader::Asking {
  const providers::ModelLister& lister;
  const providers::Target& target;
  const http::AddressRule& address_allowed;
  std::vector<Question> questions;
  Clock::time_point deadline;
  Patience patience{timeouts_max};
  std::size_t failed = 0;
  std::size_t left_out = 0;                      ///< of those failed: not even asked
  std::map<std::string, std::string> answers{};  ///< by key, as they came
  std::size_t answers_bytes = 0;
};

std::vector<std::string> CatalogueReader::models_by_hand(const registry::Connection& connection) const {
  std::vector<std::string> names;
  // Only those of the platform that the environment made: an organisation's own may have the same provider.
  if (!connection.org_id.empty() || connection.name != "env-" + connection.provider) return names;
  for (const auto& model : options_.models_by_hand) {
    if (model.provider == connection.provider) names.push_back(model.name);
  }
  return names;
}

void CatalogueReader::remember(const std::string& key, Details details) {
  if (known_.size() >= known_details_max) known_.erase(known_.begin());
  known_.insert_or_assign(key, Known{.details = std::move(details), .asked_ms = now_ms()});
}

http::Clocks CatalogueReader::clocks_until(Clock::time_point deadline) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  // Not 0, which would be no limit.
  return {.connect = options_.connect_time_max,
          .total = std::clamp(left, std::chrono::milliseconds(1), options_.answer_time_max)};
}

void CatalogueReader::keep_answer(Asking& asking, const std::string& key, std::string_view body) {
  if (body.size() > providers::raw_bytes_max || asking.answers_bytes + body.size() > answers_bytes_max) return;
  auto answer = events::repair_strings(body);
  if (!events::scan_json(answer).valid) return;
  providers::redact_credential(answer, asking.target.credential);
  asking.answers_bytes += answer.size();
  asking.answers.insert_or_assign(key, std::move(answer));
}

boost::asio::awaitable<std::string> CatalogueReader::read_version(std::string connection_id, const Asking* asking) {
  auto request = asking->lister.ask_version(asking->target);
  if (!request) co_return std::string();
  request->address_allowed = asking->address_allowed;
  auto clocks = clocks_until(asking->deadline);
  // It is not worth more time: without an answer the last version counts.
  clocks.total = std::min(clocks.total, options_.connect_time_max);
  const auto fetched =
      co_await fetcher_.fetch(std::move(*request), clocks, {.body_bytes_max = options_.show_bytes_max});
  auto version = well(fetched) ? asking->lister.parse_version(fetched.body) : std::string();
  auto& last = versions_[connection_id];
  if (!version.empty()) last = std::move(version);
  co_return last;
}

boost::asio::awaitable<void> CatalogueReader::learn(Asking* asking, std::size_t index) {
  const auto& question = asking->questions[index];
  if (asking->patience.exhausted() || Clock::now() >= asking->deadline) {
    ++asking->failed;
    ++asking->left_out;
    co_return;
  }
  auto request = *asking->lister.ask_details(asking->target, question.name);
  request.address_allowed = asking->address_allowed;
  const auto fetched = co_await fetcher_.fetch(std::move(request), clocks_until(asking->deadline),
                                               {.body_bytes_max = options_.show_bytes_max});
  const bool late =
      fetched.end.ending == http::Ending::total_timeout || fetched.end.ending == http::Ending::connect_timeout;
  if (late) {
    asking->patience.timed_out();
  } else {
    asking->patience.answered();
  }
  auto parsed = well(fetched) ? asking->lister.parse_details(fetched.body)
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
  keep_answer(*asking, question.key, fetched.body);
  remember(question.key, std::move(*parsed));
}

boost::asio::awaitable<std::expected<CatalogueReader::Pages, CatalogueFailure>> CatalogueReader::read_pages(
    const providers::Provider* provider, const providers::Target* target, const http::AddressRule* address_allowed,
    Clock::time_point deadline) {
  const auto& lister = *provider->lister();
  Pages pages;
  PageTrail trail;
  while (true) {
    auto request = lister.list(*target, pages.list.next);
    request.address_allowed = *address_allowed;
    const auto room = options_.list_bytes_max - std::min(options_.list_bytes_max - 1, pages.body.size());
    auto fetched = co_await fetcher_.fetch(std::move(request), clocks_until(deadline), {.body_bytes_max = room});
    if (!well(fetched)) co_return std::unexpected(failure_of(fetched, *provider, *target));
    const auto body = std::make_shared<const std::string>(std::move(fetched.body));
    auto page = co_await lists_.run_plain(
        [&lister, body, from = providers::Target{.provider = target->provider, .base_url = target->base_url}] {
          return lister.parse(from, *body);
        });
    if (!page) co_return std::unexpected(CatalogueFailure{.error_class = "not_json", .detail = page.error().detail});
    auto& list = pages.list;
    if (list.skipped == 0) list.first_skipped = std::move(page->first_skipped);
    list.skipped += page->skipped;
    std::ranges::move(page->models, std::back_inserter(list.models));
    const bool more = trail.follow(page->next);
    list.next = more ? std::move(page->next) : std::string();
    if (!pages.body.empty()) pages.body += '\n';
    pages.body += *body;
    if (more) continue;
    pages.cut = trail.cut();
    co_return pages;
  }
}

boost::asio::awaitable<CatalogueReader::Answer> CatalogueReader::read(
    registry::Connection connection, const std::vector<registry::StoredModel>* stored) {
  const auto deadline = Clock::now() + options_.connection_time_max;
  const auto* const provider = providers::find_provider(connection.adapter);
  if (provider == nullptr || provider->lister() == nullptr) {
    co_return std::unexpected(
        CatalogueFailure{.error_class = std::string(registry::no_adapter_class),
                         .detail = fmt::format("no adapter \"{}\" that lists models", connection.adapter)});
  }
  const auto& lister = *provider->lister();
  events::DeploymentState deployment;
  deployment.connection_name = connection.name;
  deployment.provider = connection.provider;
  deployment.base_url = connection.base_url;
  deployment.connection_id = connection.id;
  deployment.connection_org_id = connection.org_id;
  deployment.connection_owner_user_id = connection.owner_user_id;
  deployment.auth_type = connection.auth_type;
  deployment.auth_name = connection.auth_name;
  if (!connection.credential_id.empty()) deployment.credential_id = connection.credential_id;
  deployment.credential_version = connection.credential_version;
  auto credential =
      credentials_.open(deployment, 0, {.org_id = connection.org_id, .user_id = connection.owner_user_id}, now_ms());
  if (!credential) {
    co_return std::unexpected(
        CatalogueFailure{.error_class = "credential_missing", .detail = credential.error().detail});
  }
  const providers::Target target{
      .provider = connection.provider, .base_url = connection.base_url, .credential = std::move(*credential)};
  const auto by_hand = models_by_hand(connection);
  const auto& address_allowed = options_.egress.rule_for(connection.org_id);
  auto pages = co_await read_pages(provider, &target, &address_allowed, deadline);
  const bool only_by_hand = !pages && !by_hand.empty();
  if (!pages && !only_by_hand) co_return std::unexpected(pages.error());
  std::string problem;
  if (only_by_hand) {
    problem = fmt::format("the list cannot be read, so only the models of TOKENRAIL_MODELS are there: {}",
                          pages.error().detail);
    pages = Pages{};
  }
  providers::redact_credential(pages->body, target.credential);
  auto& list = pages->list;
  for (const auto& name : by_hand) {
    if (std::ranges::find(list.models, name, &providers::ListedModel::name) == list.models.end())
      list.models.push_back({.name = name});
  }
  const bool asks_details = !only_by_hand && lister.ask_details(target, "model").has_value();

  Asking asking{
      .lister = lister, .target = target, .address_allowed = address_allowed, .questions = {}, .deadline = deadline};
  if (asks_details) {
    const auto version = co_await read_version(connection.id, &asking);
    for (auto& model : list.models) model.server_version = version;
  }
  const auto stale_before_ms = now_ms() - options_.details_age_max.count();
  // What is remembered belongs to the loop; everything else about a long list does not.
  auto selection = co_await lists_.run_plain(
      [&connection, stored, stale_before_ms, most = options_.models_max,
       models = std::make_shared<std::vector<providers::ListedModel>>(std::move(list.models))] {
        const auto nothing = [](const std::string&) { return false; };
        return select_models(connection, std::move(*models), *stored, most, stale_before_ms, nothing, nothing);
      });
  std::erase_if(selection.questions, [&](const Question& question) {
    const auto known = known_.find(question.key);
    return known != known_.end() && known->second.asked_ms >= stale_before_ms;
  });
  std::vector<Question> late;
  std::erase_if(selection.questions, [&](const Question& question) {
    const bool in_vain = in_vain_.contains(question.key);
    if (in_vain) late.push_back(question);
    return in_vain;
  });
  selection.questions.insert(selection.questions.end(), late.begin(), late.end());
  if (asks_details) asking.questions = std::move(selection.questions);
  async::BoundedParallel lanes(loop_, options_.show_concurrency, loop_step_name);
  co_await lanes.run(asking.questions.size(), [&](std::size_t index) { return learn(&asking, index); });

  // Which entries the rest of a list has that was cut is not known.
  Catalogue catalogue{.list = {.unreadable = static_cast<std::int64_t>(list.skipped) + (pages->cut.empty() ? 0 : 1),
                               .without_details = static_cast<std::int64_t>(asking.failed),
                               .beyond = selection.beyond,
                               .by_hand = only_by_hand},
                      .body = std::move(pages->body),
                      .note = std::move(problem),
                      .details_asked = asking.questions.size(),
                      .details_failed = asking.failed};
  const auto note = [&](const std::string& text) { catalogue.note += (catalogue.note.empty() ? "" : ". ") + text; };
  if (list.skipped > 0)
    catalogue.note =
        fmt::format("{} entries of the list cannot be read and are left out; {}", list.skipped, list.first_skipped);
  if (!pages->cut.empty()) note(pages->cut);
  if (selection.beyond > 0)
    note(fmt::format("{} new models are left out, {} the first of them: sync.models_max allows {}", selection.beyond,
                     selection.first_beyond, options_.models_max));
  for (auto& model : selection.models) {
    providers::redact_credential(model.raw, target.credential);
    const auto key = memory_key(connection, model);
    const auto known = known_.find(key);
    const auto answer = asking.answers.find(key);
    catalogue.list.models.push_back(
        known == known_.end()
            ? listed_model(lister, model, nullptr, asks_details, connection.id)
            : listed_model(lister, model, &known->second.details, asks_details, connection.id, known->second.asked_ms,
                           answer == asking.answers.end() ? std::string_view() : answer->second));
  }
  if (asking.failed > 0) {
    spdlog::warn("{} of {} models of {} reported no details{}; they are asked again at the next sync", asking.failed,
                 asking.questions.size(), connection.name,
                 asking.left_out == 0
                     ? std::string()
                     : fmt::format(", {} of them were not asked because answers took too long", asking.left_out));
  }
  co_return catalogue;
}

}  // namespace tokenrail::registry_sync
