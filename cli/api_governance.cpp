#include "cli/api_governance.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "cli/api_bodies.hpp"
#include "cli/govern.hpp"
#include "common/catalog/plan.hpp"
#include "common/catalog/row_json.hpp"
#include "common/events/json_writer.hpp"
#include "common/providers/target.hpp"

namespace tokenrail::cli {
namespace {

using providers::percent_encoded;

constexpr int precondition_failed = 412;
constexpr int precondition_required = 428;

/// Below what an API takes as a body (api.body_bytes_max).
constexpr std::size_t import_bytes_max = 512UL * 1024;

ErrorKind kind_of(int status) {
  switch (status) {
    case 401:
      return ErrorKind::unauthenticated;
    case 403:
      return ErrorKind::forbidden;
    case 404:
      return ErrorKind::not_found;
    case 409:
    case 412:
      return ErrorKind::conflict;
    case 429:
      return ErrorKind::rate_limited;
    case 504:
      return ErrorKind::timed_out;
    default:
      return status / 100 == 4 ? ErrorKind::invalid_input : ErrorKind::unavailable;
  }
}

registry::Document document_of(simdjson::dom::element element) {
  registry::Document document{.id = {}, .json = simdjson::minify(element)};
  std::string_view id;
  if (element["id"].get_string().get(id) == simdjson::SUCCESS) document.id = id;
  std::int64_t version = 0;
  if (element["version"].get_int64().get(version) == simdjson::SUCCESS) document.version = version;
  return document;
}

/// The further headers as a JSON object; empty: there are none.
std::string headers_of(const crypto::CredentialText& secrets) {
  if (secrets.headers.empty()) return {};
  std::string object;
  events::JsonWriter json(object);
  json.begin_object();
  for (const auto& [name, value] : secrets.headers) json.field(name, value.reveal());
  json.end_object();
  return object;
}

/// Minutes of the day as HH:MM.
std::string clock_of(int minutes) {
  constexpr int minutes_an_hour = 60;
  return fmt::format("{:02}:{:02}", minutes / minutes_an_hour, minutes % minutes_an_hour);
}

/// The text of a JSON string.
std::string text_in(std::string_view json) {
  simdjson::dom::parser parser;
  std::string_view text;
  if (parser.parse(json).get_string().get(text) != simdjson::SUCCESS) return {};
  return std::string(text);
}

class ApiGovernance final : public Governance {
 public:
  ApiGovernance(const ApiExchange& exchange, const std::string& org, bool dry_run)
      : exchange_(exchange), dry_run_(dry_run), base_("/v1/orgs/" + (org.empty() ? "_" : percent_encoded(org))) {}

  std::unique_ptr<Governance> of(const std::string& org) override {
    return std::make_unique<ApiGovernance>(exchange_, org, dry_run_);
  }

  One create_organization(const registry::Organizations::New& wanted) override {
    return one("POST", "/v1/orgs",
               object_of({{"id", json_text(wanted.id)},
                          {"slug", text_field(wanted.slug)},
                          {"displayName", text_field(wanted.display_name)},
                          {"mode", json_text(wanted.mode)}}));
  }
  One change_organization(const std::string& id, const std::string& patch, Expected expected) override {
    return one("PATCH", "/v1/orgs/" + percent_encoded(id), patch, expected);
  }
  Result<void> remove_organization(const std::string& id, Expected expected) override {
    return done("DELETE", "/v1/orgs/" + percent_encoded(id), {}, expected);
  }
  Page organizations(const PageRequest& page) override { return list("/v1/orgs", page); }

  One model(const std::string& name) override { return one("GET", model_path(name)); }
  One create_model(const std::string& fields) override { return one("POST", base_ + "/models", fields); }
  One change_model(const std::string& name, const std::string& patch) override {
    return one("PATCH", model_path(name), patch);
  }
  One replace_model(const std::string& name, const std::string& patch, Expected expected) override {
    return one("PATCH", model_path(name) + "?maps=replace", patch, expected);
  }
  Result<void> remove_model(const std::string& name, bool force) override {
    return done("DELETE", model_path(name) + forced(force));
  }
  Page models(const PageRequest& page) override { return list(base_ + "/models", page); }
  One prices(const std::string& model, const std::string& connection) override {
    return one("GET", below_model(model, "/prices", connection));
  }
  One set_prices(const std::string& model, const std::vector<Price>& prices, const std::string& connection,
                 Expected expected) override {
    std::string body;
    events::JsonWriter json(body);
    json.begin_object();
    json.begin_array("prices");
    for (const auto& [key, micros] : prices) {
      json.begin_object();
      json.field("dimension", name_of(key.dimension));
      json.field("serviceTier", name_of(key.tier));
      json.field("minContextTokens", key.min_context_tokens);
      if (key.window.from_minute != key.window.to_minute) {
        json.field("utcFrom", clock_of(key.window.from_minute));
        json.field("utcTo", clock_of(key.window.to_minute));
      }
      json.field("amount", catalog::dollars(micros));
      json.end_object();
    }
    json.end_array();
    json.end_object();
    return one("PUT", below_model(model, "/prices", connection), body, expected);
  }
  One set_parameters(const std::string& model, const std::string& connection,
                     const events::CallDefaults& parameters) override {
    return one("PUT", below_model(model, "/parameters", connection),
               object_of({{"parameters", events::to_json(parameters)}}));
  }
  Page revisions(const std::string& name, const PageRequest& page) override {
    return list(model_path(name) + "/revisions", page);
  }
  One roll_back(const std::string& name, std::int64_t version) override {
    return one("POST", model_path(name) + ":rollback", object_of({{"version", fmt::format("{}", version)}}));
  }
  One explanation(const std::string& name) override { return one("GET", model_path(name) + "/explain"); }

  Page defaults(const PageRequest& page) override { return list(base_ + "/defaults", page); }
  One set_default(const Pointers::Default& of, const std::string& model, Expected expected) override {
    return set("PUT", base_ + "/defaults",
               object_of({{"kind", json_text(of.kind)},
                          {"provider", text_field(of.provider)},
                          {"purpose", text_field(of.purpose)},
                          {"model", json_text(model)}}),
               expected);
  }
  Result<void> remove_default(const Pointers::Default& of, Expected expected) override {
    auto path = fmt::format("{}/defaults?kind={}", base_, percent_encoded(of.kind));
    if (!of.provider.empty()) path += "&provider=" + percent_encoded(of.provider);
    if (!of.purpose.empty()) path += "&purpose=" + percent_encoded(of.purpose);
    return done("DELETE", path, {}, expected);
  }
  Page aliases(const PageRequest& page) override { return list(base_ + "/aliases", page); }
  One alias(const std::string& name) override { return one("GET", alias_path(name)); }
  One set_alias(const Pointers::Alias& wanted, Expected expected) override {
    std::string body;
    events::JsonWriter json(body);
    json.begin_object();
    json.begin_array("targets");
    for (const auto& target : wanted.targets) {
      json.begin_object();
      json.field("model", target.model);
      json.field("weight", target.weight);
      json.end_object();
    }
    json.end_array();
    json.field("sticky", wanted.sticky);
    if (!wanted.description.empty()) json.field("description", wanted.description);
    json.end_object();
    return set("PUT", alias_path(wanted.alias), body, expected);
  }
  Result<void> remove_alias(const std::string& name, Expected expected) override {
    return done("DELETE", alias_path(name), {}, expected);
  }
  One set_view(const registry::ModelViews::View& wanted, Expected expected) override {
    std::string body;
    events::JsonWriter json(body);
    json.begin_object();
    json.raw_field("filter", registry::model_filter_json(wanted.filter));
    json.begin_array("pins");
    for (const auto& pin : wanted.pins) json.element(pin);
    json.end_array();
    json.field("forAuto", wanted.for_auto);
    json.end_object();
    return set("PUT", view_path(wanted.name), body, expected);
  }
  Result<void> remove_view(const std::string& name, Expected expected) override {
    return done("DELETE", view_path(name), {}, expected);
  }
  Page grants(const PageRequest& page) override { return list(base_ + "/grants", page); }
  One add_grant(const Pointers::Grant& grant) override {
    return set("POST", base_ + "/grants",
               object_of({{"subjectKind", json_text(grant.subject_kind)},
                          {"subject", text_field(grant.subject)},
                          {"objectKind", json_text(grant.object_kind)},
                          {"object", json_text(grant.object)},
                          {"effect", json_text(grant.effect)}}),
               grant.expected_version);
  }
  Result<void> remove_grant(const std::string& id, Expected expected) override {
    return done("DELETE", base_ + "/grants/" + percent_encoded(id), {}, expected);
  }
  Page audit(const PageRequest& page) override { return list(base_ + "/audit", page); }
  Page held_changes(const PageRequest& page) override { return list(base_ + "/held-changes", page); }
  One decide(const std::string& id, bool accept, const std::string& reason) override {
    return one("POST", fmt::format("{}/held-changes/{}:decide", base_, percent_encoded(id)),
               object_of({{"decision", json_text(accept ? "accept" : "reject")}, {"reason", text_field(reason)}}));
  }

  Page connections(const PageRequest& page) override { return list(base_ + "/connections", page); }
  One connection(const std::string& name) override { return one("GET", connection_path(name)); }
  One create_connection(const std::string& fields) override { return one("POST", base_ + "/connections", fields); }
  One change_connection(const std::string& id, const std::string& patch, Expected expected) override {
    return one("PATCH", connection_path(id), patch, expected);
  }
  Result<void> remove_connection(const std::string& name, bool force, Expected expected) override {
    return done("DELETE", connection_path(name) + forced(force), {}, expected);
  }
  Result<std::string> request_sync(const std::string& connection, bool accept_held) override {
    const auto asked =
        one("POST", connection_path(connection) + ":sync", object_of({{"acceptHeld", accept_held ? "true" : "false"}}));
    if (!asked) return std::unexpected(asked.error());
    return asked->id;
  }
  Result<std::string> request_republish() override {
    const auto asked = one("POST", "/v1/registry:republish");
    if (!asked) return std::unexpected(asked.error());
    return asked->id;
  }
  One operation(const std::string& id) override { return one("GET", base_ + "/operations/" + percent_encoded(id)); }
  One test_connection(const std::string& name, const std::string& model) override {
    return one("POST", connection_path(name) + ":test", object_of({{"model", text_field(model)}}));
  }

  Page credentials(const PageRequest& page) override { return list(base_ + "/credentials", page); }
  Result<void> can_seal() override { return {}; }  // the server seals, and says where it cannot
  One add_credential(const std::string& provider, const std::string& label,
                     const crypto::CredentialText& secrets) override {
    return one("POST", base_ + "/credentials",
               object_of({{"provider", json_text(provider)},
                          {"label", json_text(label)},
                          {"secret", json_text(secrets.secret.reveal())},
                          {"headers", headers_of(secrets)}}));
  }
  One replace_credential(const registry::Document& known, const crypto::CredentialText& secrets) override {
    return one("POST", credential_path(known.id) + ":replace",
               object_of({{"secret", json_text(secrets.secret.reveal())}, {"headers", headers_of(secrets)}}),
               known.version);
  }
  Result<void> revoke_credential(const std::string& id, bool force, Expected expected) override {
    return done("DELETE", credential_path(id) + forced(force), {}, expected);
  }

  One configuration() override { return one("GET", "/v1/configuration"); }
  One owned_by_sync() override { return one("GET", "/v1/configuration/owned-by-sync"); }
  One inspection() override { return one("GET", base_ + "/inspection"); }

  Result<std::vector<catalog::KnownEntry>> catalog_entries(catalog::Source source) override {
    const auto path = catalog_path(source) + "/entries";
    const auto all = all_pages([&](const auto& page) { return list(path, page); });
    if (!all) return std::unexpected(all.error());
    std::vector<catalog::KnownEntry> entries;
    for (const auto& document : *all) {
      auto entry = known_entry(document.json);
      if (!entry) return std::unexpected(entry.error());
      entries.push_back(std::move(*entry));
    }
    return entries;
  }
  Result<std::int64_t> apply_catalog(catalog::Source source, std::span<const catalog::PlannedEntry> entries) override {
    const auto body = object_of({{"entries", json_of_entries(entries)}});
    if (body.size() > import_bytes_max && entries.size() > 1) {
      const auto half = entries.size() / 2;
      const auto first = apply_catalog(source, entries.first(half));
      if (!first) return first;
      const auto rest = apply_catalog(source, entries.subspan(half));
      return rest ? *first + *rest : rest;
    }
    return models_changed(one("POST", catalog_path(source) + ":apply", body));
  }
  Result<std::int64_t> infer_from_names() override { return models_changed(one("POST", "/v1/catalogs:infer")); }
  Result<void> record_import(const registry::CatalogImport& import) override {
    const auto count = [](std::int64_t number) { return fmt::format("{}", number); };
    return done("POST", catalog_path(import.source) + "/imports",
                object_of({{"fileName", json_text(import.file_name)},
                           {"listed", count(import.listed)},
                           {"added", count(import.added)},
                           {"changed", count(import.changed)},
                           {"unchanged", count(import.unchanged)},
                           {"gone", count(import.gone)},
                           {"held", count(import.held)},
                           {"refused", count(import.refused)}}));
  }
  Result<std::int64_t> set_scores(std::span<const registry::QualityScore> scores,
                                  std::vector<std::string>& unknown) override {
    const auto set = one("POST", "/v1/quality-scores", object_of({{"scores", json_of_scores(scores)}}));
    if (!set) return std::unexpected(set.error());
    for (const auto& name : elements_of(set->json, "unknownModels")) unknown.push_back(text_in(name));
    return models_changed(set);
  }

 private:
  static std::string catalog_path(catalog::Source source) {
    return fmt::format("/v1/catalogs/{}", catalog::name_of(source));
  }
  static Result<std::int64_t> models_changed(const One& answer) {
    if (!answer) return std::unexpected(answer.error());
    simdjson::dom::parser parser;
    std::int64_t models = 0;
    if (parser.parse(answer->json)["models"].get_int64().get(models) != simdjson::SUCCESS) return no_api_answer();
    return models;
  }
  std::string model_path(std::string_view name) const { return base_ + "/models/" + percent_encoded(name); }
  std::string below_model(std::string_view model, std::string_view what, std::string_view connection) const {
    const auto path = model_path(model).append(what);
    return connection.empty() ? path : path + "?connection=" + percent_encoded(connection);
  }
  std::string alias_path(std::string_view name) const { return base_ + "/aliases/" + percent_encoded(name); }
  std::string view_path(std::string_view name) const { return base_ + "/views/" + percent_encoded(name); }
  std::string connection_path(std::string_view name) const { return base_ + "/connections/" + percent_encoded(name); }
  std::string credential_path(std::string_view id) const { return base_ + "/credentials/" + percent_encoded(id); }
  static std::string forced(bool force) { return force ? "?force=true" : ""; }

  static ApiRequest request_of(std::string method, std::string path, std::string body, Expected expected) {
    ApiRequest request{.method = std::move(method), .path = std::move(path), .body = std::move(body)};
    if (expected == registry::no_row) {
      request.if_none_match = "*";
    } else if (expected) {
      request.if_match = fmt::format("\"v{}\"", *expected);
    }
    return request;
  }
  Result<ApiAnswer> send(ApiRequest request) {
    if (dry_run_ && request.method != "GET")
      request.path += request.path.contains('?') ? "&dry_run=true" : "?dry_run=true";
    return exchange_(std::move(request));
  }
  static Result<std::string> body_of(Result<ApiAnswer> answer) {
    if (!answer) return std::unexpected(std::move(answer.error()));
    if (answer->status / 100 != 2) return std::unexpected(error_of(*answer));
    return std::move(answer->body);
  }
  static One document_in(const Result<std::string>& body) {
    if (!body) return std::unexpected(body.error());
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (parser.parse(*body).get(root) != simdjson::SUCCESS || !root.is_object()) return no_api_answer();
    return document_of(root);
  }

  /// For a server that takes changes with a precondition only (api.if_match_required): whatever is there.
  Result<ApiAnswer> send_for_any(const ApiRequest& request) {
    auto answer = send(request);
    if (!answer || answer->status != precondition_required) return answer;
    auto again = request;
    again.if_match = "*";
    return send(std::move(again));
  }
  Result<std::string> call(std::string method, std::string path, std::string body = {}, Expected expected = {}) {
    return body_of(send_for_any(request_of(std::move(method), std::move(path), std::move(body), expected)));
  }
  Result<void> done(std::string method, std::string path, std::string body = {}, Expected expected = {}) {
    if (auto answer = call(std::move(method), std::move(path), std::move(body), expected); !answer)
      return std::unexpected(std::move(answer.error()));
    return {};
  }
  One one(std::string method, std::string path, std::string body = {}, Expected expected = {}) {
    return document_in(call(std::move(method), std::move(path), std::move(body), expected));
  }
  /// As one(), of what is made where it is not there.
  One set(std::string method, std::string path, std::string body, Expected expected) {
    auto request = request_of(std::move(method), std::move(path), std::move(body), expected);
    auto answer = send_for_any(request);
    // Only such a server answers so to a change that expects nothing: there is none of it yet.
    if (answer && answer->status == precondition_failed && !expected) {
      request.if_none_match = "*";
      answer = send(std::move(request));
    }
    return document_in(body_of(std::move(answer)));
  }
  Page list(const std::string& path, const PageRequest& page) {
    auto target = fmt::format("{}?page_size={}", path, page.count_max);
    if (!page.after.empty()) target += "&page_token=" + percent_encoded(page.after);
    const auto answer = call("GET", std::move(target));
    if (!answer) return std::unexpected(answer.error());
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    simdjson::dom::array items;
    if (parser.parse(*answer).get(root) != simdjson::SUCCESS ||
        root["data"].get_array().get(items) != simdjson::SUCCESS)
      return no_api_answer();
    registry::DocumentPage found;
    for (const auto item : items) found.items.push_back(document_of(item));
    std::string_view next;
    if (root["next_page_token"].get_string().get(next) == simdjson::SUCCESS) found.next = next;
    return found;
  }

  ApiExchange exchange_;
  bool dry_run_;
  std::string base_;
};

}  // namespace

Error error_of(const ApiAnswer& answer) {
  constexpr std::size_t shown_bytes_max = 1'000;
  const auto member = [&](std::string_view name) {
    auto text = member_of(answer.body, name);
    if (text.size() > shown_bytes_max) text.resize(shown_bytes_max);
    return text;
  };
  Error error{.kind = kind_of(answer.status), .detail = member("detail"), .hint = member("hint")};
  if (error.detail.empty()) error.detail = member("title");
  if (error.detail.empty())
    return {.kind = error.kind,
            .detail = fmt::format("the registry API answered with status {} and no reason; check that "
                                  "TOKENRAIL_API_URL is its address",
                                  answer.status)};
  if (const auto dependents = member("dependents"); !dependents.empty()) error.detail += " Used by: " + dependents;
  if (answer.status == 401)
    error.hint = "Check TOKENRAIL_API_TOKEN: a service token, or in dev mode the output of 'tokenrail auth token'.";
  return error;
}

std::unique_ptr<Governance> api_governance(const ApiExchange& exchange, const std::string& org, bool dry_run) {
  return std::make_unique<ApiGovernance>(exchange, org, dry_run);
}

}  // namespace tokenrail::cli
