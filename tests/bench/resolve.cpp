// tokenrail-bench-resolve: the CPU that resolution takes for one request. No network and no Kafka: a registry is built
// in memory, and each way to name a model is asked for over and over. The ways take turns, so that a busy machine is
// busy for all of them.
//
//   tokenrail-bench-resolve [--models 10000] [--orgs 1000] [--requests 2000] [--rounds 15]
//
// Every organisation has three rows of its own, an alias, a default and grants; every tenth works by allow-list. Prints
// one JSON object, nanoseconds a request by way, one number a round.
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/registry/resolution.hpp"
#include "tests/bench/instruments.hpp"

namespace {

using namespace tokenrail;

std::string model_name(std::int64_t number) {
  return fmt::format("family-{}/model-{:05}", number % 40, number);
}

template <class Record>
void put(registry::Projection& projection, Record record) {
  record.version = 1;
  if (projection.apply(record_key(record), to_json(record)) != registry::Projection::Applied::changed)
    throw std::runtime_error("a record was not taken: " + record_key(record));
}

void put_model(registry::Projection& projection, events::ModelState model) {
  events::ModelUpserted event;
  event.version = 1;
  event.key = events::model_key(model);
  event.model = std::move(model);
  if (projection.apply(event.key, events::to_json(event)) != registry::Projection::Applied::changed)
    throw std::runtime_error("a model was not taken: " + event.key);
}

registry::Projection registry_of(std::int64_t models, std::int64_t orgs) {
  registry::Projection projection;
  for (std::int64_t i = 0; i < models; ++i) {
    events::ModelState model;
    model.id = fmt::format("01936f6e-0000-7000-8000-{:012}", i);
    model.provider = i % 3 == 0 ? "openai" : "ollama";
    model.model_name = model_name(i);
    model.slug = model.provider + "/" + model.model_name;
    model.context_window = 8'192 << (i % 5);
    model.quality_score = static_cast<double>(i * 7'919 % models) / static_cast<double>(models);
    model.prices = {.input_micros = i * 104'729 % 10'000'000, .output_micros = i * 15'485'863 % 40'000'000};
    model.capabilities = {{"chat", events::Support::supported},
                          {"tools", i % 2 == 0 ? events::Support::supported : events::Support::unsupported},
                          {"vision", i % 10 == 0 ? events::Support::supported : events::Support::unsupported}};
    events::DeploymentState deployment;
    deployment.id = "d-" + model.id;
    deployment.connection_id = fmt::format("c-{}", i % 20);
    deployment.connection_name = deployment.connection_id;
    deployment.provider = model.provider;
    deployment.adapter = model.provider;
    deployment.base_url = "http://127.0.0.1:1";
    deployment.auth_type = "none";
    deployment.upstream_name = model.model_name;
    model.deployments = {deployment};
    put_model(projection, std::move(model));
  }
  for (std::int64_t i = 0; i < orgs; ++i) {
    const auto org = fmt::format("org-{:05}", i);
    for (std::int64_t j = 0; j < 3; ++j) {
      const auto number = (i * 3 + j) % models;
      events::ModelState row;
      row.id = fmt::format("01936f6e-0000-7000-9000-{:06}{:06}", i, j);
      row.org_id = org;
      row.provider = number % 3 == 0 ? "openai" : "ollama";
      row.model_name = model_name(number);
      row.slug = fmt::format("own-{}", j);
      row.inherits = true;
      put_model(projection, std::move(row));
    }
    const auto target = [&](std::int64_t j) {
      const auto number = (i * 3 + j) % models;
      return events::ModelName{.provider = number % 3 == 0 ? "openai" : "ollama", .name = model_name(number)};
    };
    put(projection, events::RegistryAlias{.org_id = org,
                                          .alias = "fast",
                                          .targets = {{.model = target(0), .weight = 9}, {.model = target(1)}},
                                          .sticky = events::Sticky::conversation});
    put(projection, events::RegistryDefault{.org_id = org, .model = target(2)});
    events::RegistryGrants grants{.org_id = org};
    for (std::int64_t j = 0; j < 20; ++j) {
      grants.grants.push_back({.subject_kind = events::SubjectKind::user,
                               .subject = "bob",
                               .object_kind = events::ObjectKind::model,
                               .object = fmt::format("01936f6e-0000-7000-8000-{:012}", j),
                               .allow = false});
    }
    put(projection, std::move(grants));
    put(projection, events::RegistryOrganization{.org_id = org, .slug = org, .allow_list = i % 10 == 0});
  }
  return projection;
}

struct Way {
  std::string name;
  std::function<events::ChatRequest(std::int64_t)> request;
  bool refused = false;
};

double resolve_ns(const registry::Projection& projection, const Way& way, std::int64_t requests) {
  std::vector<events::ChatRequest> asked;
  for (std::int64_t i = 0; i < requests; ++i) asked.push_back(way.request(i));
  const registry::ResolutionRules rules{.adapters = {"ollama", "openai"}, .implied_tags = {{"ollama", ":latest"}}};
  std::int64_t refused = 0;
  const auto before = bench::own_cpu_ns();
  for (std::size_t i = 0; i < asked.size(); ++i)
    refused += registry::resolve(projection, asked[i], rules, i * 0x9e3779b97f4a7c15ULL, 1'763'000'000'000) ? 0 : 1;
  const auto spent = bench::own_cpu_ns() - before;
  if (refused != (way.refused ? requests : 0))
    throw std::runtime_error(fmt::format("{}: {} of {} requests were refused", way.name, refused, requests));
  return static_cast<double>(spent) / static_cast<double>(requests);
}

std::vector<Way> ways(std::int64_t models, std::int64_t orgs) {
  // Organisations that are not on the allow-list, so that every model is usable.
  const auto request = [orgs](std::int64_t i) {
    events::ChatRequest asked;
    asked.request_id = "r";
    asked.org_id = fmt::format("org-{:05}", (i * 7 % orgs) / 10 * 10 + 1);
    asked.user_id = "ann";
    asked.metadata["conversationId"] = fmt::format("conversation-{}", i);
    asked.messages.push_back({.content = {{.text = "Why is the sky blue?"}}});
    return asked;
  };
  const auto naming = [=](std::int64_t i, std::string provider, std::string name) {
    auto asked = request(i);
    asked.model = events::ModelReference{.provider = std::move(provider), .name = std::move(name)};
    return asked;
  };
  const auto any = [models](std::int64_t i) { return i * 7'919 % models; };
  return {
      {.name = "named",
       .request = [=](std::int64_t i) { return naming(i, any(i) % 3 == 0 ? "openai" : "ollama", model_name(any(i))); }},
      {.name = "name_alone", .request = [=](std::int64_t i) { return naming(i, "", model_name(any(i))); }},
      {.name = "alias", .request = [=](std::int64_t i) { return naming(i, "", "fast"); }},
      {.name = "default", .request = request},
      {.name = "first",
       .request =
           [=](std::int64_t i) {
             auto asked = request(i);
             asked.org_id = "without-records";
             return asked;
           }},
      {.name = "auto", .request = [=](std::int64_t i) { return naming(i, "", "auto"); }},
      {.name = "auto_vision",
       .request =
           [=](std::int64_t i) {
             auto asked = naming(i, "", "auto");
             asked.messages[0].content.push_back({.type = "image", .data = "aGk="});
             asked.tools.push_back({.name = "f"});
             return asked;
           }},
      {.name = "auto_allow_list",
       .request =
           [=](std::int64_t i) {
             auto asked = naming(i, "", "auto");
             asked.org_id = "org-00000";
             return asked;
           }},
      {.name = "auto_cheapest_of_the_best",
       .request =
           [=](std::int64_t i) {
             auto asked = naming(i, "", "auto");
             asked.auto_selection = {.quality_min = 0.99, .prefer = events::AutoSelection::Prefer::price};
             return asked;
           }},
      {.name = "refused",
       .request =
           [=](std::int64_t i) {
             auto asked = naming(i, "ollama", model_name(1));
             asked.tools.push_back({.name = "f"});
             return asked;
           },
       .refused = true},
  };
}

int run(const bench::Arguments& arguments) {
  const auto models = arguments.number("models", 10'000);
  const auto orgs = arguments.number("orgs", 1'000);
  const auto requests = arguments.number("requests", 2'000);
  const auto rounds = arguments.number("rounds", 15);
  const auto projection = registry_of(models, orgs);
  std::map<std::string, std::vector<double>> costs;
  const auto all = ways(models, orgs);
  for (std::int64_t round = -1; round < rounds; ++round) {
    for (const auto& way : all) {
      const auto cost = resolve_ns(projection, way, requests);
      if (round >= 0) costs[way.name].push_back(cost);  // the caches warm up once
    }
  }
  std::vector<std::string> members;
  for (const auto& [name, values] : costs)
    members.push_back(fmt::format("\"{}\":[{:.0f}]", name, fmt::join(values, ",")));
  std::puts(fmt::format("{{{}}}", fmt::join(members, ",")).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(bench::Arguments(argc, argv, {"models", "orgs", "requests", "rounds"}));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tokenrail-bench-resolve: %s\n", error.what());
    return 1;
  }
}
