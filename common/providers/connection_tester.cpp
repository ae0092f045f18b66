#include "common/providers/connection_tester.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "common/crypto/credential_text.hpp"
#include "common/providers/profile.hpp"

namespace tokenrail::providers {

namespace {

using boost::asio::awaitable;
using namespace std::chrono_literals;

constexpr auto connect_time_max = 5s;
constexpr auto list_time_max = 12s;  ///< leaves time for a call
constexpr std::size_t answer_bytes_max = 8UL * 1024 * 1024;

/// Of the model in the registry's words, as a sync would find it.
std::string kind_of(const Provider& provider, const std::string& model, const ModelPage& page) {
  if (provider.lister() == nullptr) return "generation";
  const auto listed = std::ranges::find(page.models, model, &ListedModel::name);
  if (listed != page.models.end()) return provider.lister()->facts(*listed, nullptr).kind;
  ListedModel by_name;
  by_name.name = model;
  return provider.lister()->facts(by_name, nullptr).kind;
}

}  // namespace

Result<Credential> credential_to_test(std::string_view provider, std::string_view type, std::string name) {
  const auto known = auth_type_from(type);
  if (!known)
    return fail(ErrorKind::invalid_input, fmt::format("Connections with the authType {} cannot be tested.", type));
  const auto* const profile = find_profile(provider);
  if (name.empty() && profile != nullptr && profile->auth == *known) name = profile->auth_name;
  if (*known == AuthType::header && !crypto::is_secret_header_name(name))
    return fail(ErrorKind::invalid_input, "The authName is not the name of a header that may hold a key.");
  return Credential{.type = *known, .name = std::move(name)};
}

Result<Credential> with_stored_secret(Credential credential, const crypto::KeyRing& ring, std::string_view sealed,
                                      const crypto::Binding& binding) {
  const auto cannot = [](const Error& error) {
    return fail(error.kind, "The credential cannot be opened: " + error.detail + ".");
  };
  const auto read = crypto::sealed_from_text(sealed);
  if (!read) return cannot(read.error());
  const auto text = crypto::open(ring, *read, binding);
  if (!text) return cannot(text.error());
  auto parts = crypto::credential_from_text(*text);
  if (!parts) return cannot(parts.error());
  credential.secret = std::move(parts->secret);
  credential.extra_headers = std::move(parts->headers);
  return credential;
}

/// One test while it runs.
struct ConnectionTester::Run {
  Run(ConnectionTester& the_owner, Subject the_subject)
      : owner(the_owner),
        subject(std::move(the_subject)),
        client(http::make_client(owner.loop_, owner.client_options_, owner.unseen_)),
        fetcher(owner.loop_, *client, owner.step_) {
    owner.running_.insert(&fetcher);
    if (owner.stopped_) fetcher.stop();
  }
  ~Run() { owner.running_.erase(&fetcher); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  ConnectionTester& owner;
  Subject subject;
  const Clock::time_point began = Clock::now();
  std::unique_ptr<http::Client> client;
  http::Fetcher fetcher;
  const Provider* provider = nullptr;
  TestEvidence evidence{};
};

void ConnectionTester::stop() {
  stopped_ = true;
  for (auto* fetcher : running_) fetcher->stop();
}

awaitable<ConnectionTester::Timed> ConnectionTester::fetch(Run* run, http::Request request,
                                                           std::chrono::milliseconds time_max_of_it) {
  const auto began = Clock::now();
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(run->began + time_max - began);
  const http::Clocks clocks{.connect = connect_time_max, .total = std::clamp(left, 1ms, time_max_of_it)};
  request.address_allowed = egress_.rule_for(run->subject.org_id);
  Timed timed;
  timed.fetched = co_await run->fetcher.fetch(std::move(request), clocks, {.body_bytes_max = answer_bytes_max});
  timed.took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
  co_return timed;
}

awaitable<void> ConnectionTester::call_model(Run* run, const ModelPage* page) {
  const auto& target = run->subject.target;
  const auto call = make_test_call(*run->provider, target, kind_of(*run->provider, target.upstream_name, *page));
  if (!call) {
    run->evidence.call_skipped = call.error().detail;
    co_return;
  }
  const auto timed = co_await fetch(run, call->request, time_max);
  run->evidence.call = judge_call(*run->provider, target, *call, timed.fetched, timed.took);
}

awaitable<ConnectionTester::Report> ConnectionTester::run(Subject subject) {
  Run run(*this, std::move(subject));
  const auto& target = run.subject.target;
  auto& evidence = run.evidence;
  run.provider = find_provider(run.subject.adapter);
  evidence.key_sent = !target.credential.secret.empty() || !target.credential.extra_headers.empty();
  if (target.upstream_name.empty()) evidence.call_skipped = "No model was named, so none was called.";
  ModelPage page;
  if (run.provider == nullptr || run.provider->lister() == nullptr) {
    const auto title = title_of(target.provider);
    evidence.list_skipped = fmt::format("The models of {} cannot be listed.", title);
    if (run.provider == nullptr) evidence.call_skipped = fmt::format("There is no adapter for {}.", title);
  } else {
    const auto timed = co_await fetch(&run, run.provider->lister()->list(target, ""), list_time_max);
    evidence.list = judge_list(*run.provider, target, timed.fetched, timed.took, &page);
  }
  const bool call_may_help = !evidence.list || call_is_worthwhile(*evidence.list);
  if (call_may_help && evidence.call_skipped.empty()) co_await call_model(&run, &page);
  if (!evidence.list && !evidence.call) {
    http::Request request;
    request.url = target.base_url;
    const auto timed = co_await fetch(&run, std::move(request), list_time_max);
    evidence.reached = judge_reach(target, timed.fetched, timed.took);
  }
  Report report;
  report.stages = stages_of(target, evidence);
  report.latency = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - run.began);
  co_return report;
}

}  // namespace tokenrail::providers
