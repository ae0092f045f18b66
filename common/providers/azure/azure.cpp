#include "common/providers/azure/azure.hpp"

#include <utility>

#include <fmt/format.h>

#include "common/providers/openai/classification.hpp"
#include "common/providers/openai/openai.hpp"
#include "common/providers/profile.hpp"
#include "common/url.hpp"

namespace tokenrail::providers::azure {

namespace {

/// Where the base URL names none.
constexpr std::string_view classic_version = "2024-10-21";
constexpr std::string_view models_version = "2024-05-01-preview";
/// The first that takes `stream_options`. Versions are dates, so they compare as texts.
constexpr std::string_view usage_version = "2024-09-01";

std::string_view version_in(std::string_view query) {
  constexpr std::string_view name = "api-version=";
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto field = query.substr(0, end);
    if (field.starts_with(name)) return field.substr(name.size());
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
  return "";
}

const openai::ChatProfile& profile_of(const Address& address) {
  // Older versions refuse the option, so their streams come without usage.
  static const auto without_usage = [] {
    auto profile = openai::chat_profile("azure");
    profile.asks_for_usage = false;
    return profile;
  }();
  if (address.surface == Surface::models) return openai::chat_profile("azure-models");
  const bool old = address.surface == Surface::classic && address.api_version < usage_version;
  return old ? without_usage : openai::chat_profile("azure");
}

class Azure final : public Provider, public ModelLister, public Embedder {
 public:
  [[nodiscard]] std::string_view adapter() const override { return "azure"; }

  [[nodiscard]] Result<ChatCall> chat(const events::ChatRequest& request, const Target& target,
                                      const DecoderLimits& limits) const override {
    auto address = address_of(target.base_url, target.upstream_name, "/chat/completions");
    const auto& profile = profile_of(address);
    return openai::chat_call(request, target, std::move(address.url), profile, adapter(), limits);
  }

  [[nodiscard]] CallFailure classify(const Target& target, const http::ResponseHead& head,
                                     std::string_view body) const override {
    return openai::classify_response(title_of(target.provider), head, body);
  }
  [[nodiscard]] CallFailure classify(const Target& target, const http::End& end) const override {
    return openai::classify_end(target, end, "https://RESOURCE.openai.azure.com");
  }

  [[nodiscard]] const ModelLister* lister() const override { return this; }
  [[nodiscard]] http::Request list(const Target& target, std::string_view page) const override {
    return openai::list_request(target, list_url(target.base_url), page);
  }
  [[nodiscard]] Result<ModelPage> parse(const Target& /*target*/, std::string_view body) const override {
    return openai::parse_model_list(body, adapter());
  }

  [[nodiscard]] const Embedder* embedder() const override { return this; }
  [[nodiscard]] Result<http::Request> embed(const Embedder::Request& request, const Target& target) const override {
    auto address = address_of(target.base_url, target.upstream_name, "/embeddings");
    return openai::embed_request(request, target, std::move(address.url), profile_of(address));
  }
  [[nodiscard]] Result<Embedder::Answer> parse(std::string_view body) const override {
    return openai::parse_embeddings(body);
  }

 private:
  /// A classic resource lists its models beside its deployments, not below one of them.
  static std::string list_url(std::string_view base_url) {
    auto address = address_of(base_url, "", "/models");
    if (address.surface == Surface::classic) {
      const auto deployment = address.url.find("/deployments");
      address.url.erase(deployment, address.url.rfind("/models") - deployment);
    }
    return std::move(address.url);
  }
};

}  // namespace

const Provider& provider() {
  static const Azure azure;
  return azure;
}

Address address_of(std::string_view base_url, std::string_view deployment, std::string_view path) {
  const auto question = base_url.find('?');
  const auto query = question == std::string_view::npos ? std::string_view() : base_url.substr(question + 1);
  base_url = base_url.substr(0, question);
  while (base_url.ends_with('/')) base_url.remove_suffix(1);

  Address out{.api_version = std::string(version_in(query))};
  std::string place(base_url);
  std::string asked(query);
  const auto needs_version = [&](std::string_view version) {
    if (!out.api_version.empty()) return;
    out.api_version = version;
    asked += fmt::format("{}api-version={}", asked.empty() ? "" : "&", version);
  };
  const auto resource_path = split_url(base_url).rest;
  if (resource_path.contains("/deployments")) {
    out.surface = Surface::classic;
    if (resource_path.ends_with("/deployments")) place += "/" + percent_encoded(deployment);
  } else if (resource_path.ends_with("/models")) {
    out.surface = Surface::models;
  } else if (resource_path.ends_with("/v1")) {
    out.surface = Surface::v1;
  } else {
    if (!resource_path.ends_with("/openai")) place += "/openai";
    if (out.api_version.empty()) {
      place += "/v1";
    } else {
      out.surface = Surface::classic;
      place += "/deployments/" + percent_encoded(deployment);
    }
  }
  if (out.surface == Surface::classic) needs_version(classic_version);
  if (out.surface == Surface::models) needs_version(models_version);
  out.url = place + std::string(path) + (asked.empty() ? "" : "?" + asked);
  return out;
}

}  // namespace tokenrail::providers::azure
