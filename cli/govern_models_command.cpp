// `tokenrail registry show|add|set|enable|disable|block|unblock|remove|default|alias|grant|history|rollback` and
// `tokenrail org …`: what a person decides about models.
#include <charconv>

#include <fmt/format.h>
#include <simdjson.h>

#include "cli/govern.hpp"
#include "cli/governance.hpp"
#include "common/registry/governed_models.hpp"

namespace tokenrail::cli {
namespace {

constexpr const char* published = "registry-sync publishes it, and routers follow";

const std::string& argument(const Context& context, std::size_t index) {
  return context.call.arguments[index];
}

int set_model(const Context& context, const std::string& patch, std::string_view said) {
  return with_governance(context, [&](Governance& governance) {
    return show_change(context, governance.change_model(argument(context, 0), patch), said);
  });
}

/// "Acme Corp" as an id: "acme-corp".
std::string slug_of(std::string_view name) {
  std::string slug;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool capital = c >= 'A' && c <= 'Z';
    if (letter) {
      slug += c;
    } else if (capital) {
      slug += static_cast<char>(c - 'A' + 'a');
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  while (!slug.empty() && slug.back() == '-') slug.pop_back();
  return slug.substr(0, 63);
}

/// "provider/name=9": a target and its weight.
Result<registry::ModelPointers::Target> target_of(const std::string& text) {
  const auto equals = text.rfind('=');
  if (equals == std::string::npos) return registry::ModelPointers::Target{.model = text};
  registry::ModelPointers::Target target{.model = text.substr(0, equals)};
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + equals + 1, end, target.weight);
  if (read.ec != std::errc{} || read.ptr != end || target.weight < 0 || target.weight > 1'000'000)
    return fail(
        ErrorKind::invalid_input,
        fmt::format("'{}' is not a target: write MODEL or MODEL=WEIGHT, with a weight from 0 to 1000000", text));
  return target;
}

}  // namespace

int run_org_create(const Context& context) {
  const auto& name = argument(context, 0);
  const auto id = context.call.value("id").value_or(slug_of(name));
  if (id.empty())
    return context.failed(
        Error{ErrorKind::invalid_input, fmt::format("no id can be made from '{}'; give one with --id", name)});
  return with_governance(context, [&](Governance& governance) {
    const auto made = governance.create_organization(
        {.id = id, .slug = slug_of(id), .display_name = name, .mode = context.call.value("mode").value_or("open")});
    if (!made) return context.failed(made.error());
    if (!context.json()) context.terminal.out_line(made->id);
    return show_change(context, made, fmt::format("the organisation {} is there; its requests carry it as orgId", id));
  });
}

int run_org_list(const Context& context) {
  return with_governance(context, [&](Governance& governance) {
    return show_documents(context, all_pages([&](const auto& page) { return governance.organizations(page); }),
                          {{"ID", "id"}, {"NAME", "displayName"}, {"MODE", "mode"}, {"CREATED", "createdAt"}},
                          "no organisations yet: 'tokenrail org create NAME' makes one");
  });
}

int run_registry_show(const Context& context) {
  return with_governance(
      context, [&](Governance& governance) { return show_document(context, governance.model(argument(context, 0))); });
}

int run_registry_add(const Context& context) {
  const auto& name = argument(context, 0);
  const auto model = parse_model_name(name);
  if (!model || model->provider.empty())
    return context.failed(
        Error{ErrorKind::invalid_input, fmt::format("'{}' is not a model: write provider/name", name)});
  std::string deployments;
  if (const auto connection = context.call.value("connection")) {
    const auto upstream = context.call.value("upstream");
    deployments = "[" +
                  object_of({{"connectionId", json_text(*connection)},
                             {"upstreamName", upstream ? json_text(*upstream) : std::string()}}) +
                  "]";
  }
  return with_governance(context, [&](Governance& governance) {
    return show_change(context,
                       governance.create_model(object_of({{"provider", json_text(model->provider)},
                                                          {"modelName", json_text(model->name)},
                                                          {"enabled", "true"},
                                                          {"deployments", deployments}})),
                       published);
  });
}

int run_registry_set(const Context& context) {
  const auto& patch = argument(context, 1);
  simdjson::dom::parser parser;
  simdjson::dom::object members;
  if (parser.parse(patch).get_object().get(members) != simdjson::SUCCESS)
    return context.failed(Error{ErrorKind::invalid_input,
                                "the second argument is not a JSON object, such as "
                                R"({"displayName":"Llama","contextWindow":8192})"});
  const auto& known = registry::model_fields();
  for (const auto member : members) {
    const std::string field(member.key);
    if (std::ranges::find(known, field) == known.end())
      return context.failed(
          Error{ErrorKind::invalid_input, fmt::format("a model has no field '{}' that a person can set; there are: {}",
                                                      field, fmt::join(known, ", "))});
  }
  return set_model(context, patch, published);
}

int run_registry_enable(const Context& context) {
  return set_model(context, R"({"enabled":true})", published);
}
int run_registry_disable(const Context& context) {
  return set_model(context, R"({"enabled":false})", published);
}
int run_registry_block(const Context& context) {
  return set_model(context, R"({"blocked":true})", "nothing below this level lifts the block");
}
int run_registry_unblock(const Context& context) {
  return set_model(context, R"({"blocked":false})", published);
}

int run_registry_remove(const Context& context) {
  return with_governance(context, [&](Governance& governance) {
    return show_done(context, governance.remove_model(argument(context, 0), context.call.has("force")), published);
  });
}

int run_registry_default(const Context& context) {
  const registry::ModelPointers::Default of{.kind = context.call.value("kind").value_or("generation"),
                                            .provider = {},
                                            .purpose = context.call.value("purpose").value_or("")};
  return with_governance(context, [&](Governance& governance) {
    if (context.call.has("remove")) return show_done(context, governance.remove_default(of, std::nullopt), published);
    if (context.call.arguments.empty())
      return show_documents(context, all_pages([&](const auto& page) { return governance.defaults(page); }),
                            {{"KIND", "kind"}, {"PURPOSE", "purpose"}, {"MODEL", "model"}}, "no defaults are set");
    return show_change(context, governance.set_default(of, argument(context, 0), std::nullopt), published);
  });
}

int run_registry_alias(const Context& context) {
  if (context.call.arguments.empty()) {
    return with_governance(context, [&](Governance& governance) {
      return show_documents(context, all_pages([&](const auto& page) { return governance.aliases(page); }),
                            {{"ALIAS", "alias"}, {"SCOPE", "scope"}, {"STICKY", "sticky"}, {"TARGETS", "targets"}},
                            "no aliases are set");
    });
  }
  registry::ModelPointers::Alias wanted{.alias = argument(context, 0),
                                        .sticky = context.call.value("sticky").value_or("conversation")};
  for (std::size_t i = 1; i < context.call.arguments.size(); ++i) {
    auto target = target_of(context.call.arguments[i]);
    if (!target) return context.failed(target.error());
    wanted.targets.push_back(std::move(*target));
  }
  return with_governance(context, [&](Governance& governance) {
    if (context.call.has("remove"))
      return show_done(context, governance.remove_alias(wanted.alias, std::nullopt), published);
    if (wanted.targets.empty()) return show_document(context, governance.alias(wanted.alias));
    return show_change(context, governance.set_alias(wanted, std::nullopt), published);
  });
}

int run_registry_grant(const Context& context) {
  if (!context.call.value("org"))
    return context.failed(Error{ErrorKind::invalid_input, "grants belong to an organisation: give --org"});
  return with_governance(context, [&](Governance& governance) {
    if (const auto id = context.call.value("remove"))
      return show_done(context, governance.remove_grant(*id, std::nullopt), published);
    if (context.call.arguments.empty())
      return show_documents(
          context, all_pages([&](const auto& page) { return governance.grants(page); }),
          {{"ID", "id"}, {"TO", "subjectKind"}, {"SUBJECT", "subject"}, {"MODEL", "object"}, {"EFFECT", "effect"}},
          "no grants are set");
    registry::ModelPointers::Grant grant{.subject_kind = "org",
                                         .object_kind = "model",
                                         .object = argument(context, 0),
                                         .effect = context.call.has("deny") ? "deny" : "allow"};
    if (const auto user = context.call.value("user")) {
      grant.subject_kind = "user";
      grant.subject = *user;
    } else if (const auto group = context.call.value("group")) {
      grant.subject_kind = "group";
      grant.subject = *group;
    }
    return show_change(context, governance.add_grant(grant), published);
  });
}

int run_registry_history(const Context& context) {
  return with_governance(context, [&](Governance& governance) {
    return show_documents(context,
                          all_pages([&](const auto& page) { return governance.revisions(argument(context, 0), page); }),
                          {{"VERSION", "version"},
                           {"AT", "at"},
                           {"BY", "actor"},
                           {"CAUSE", "cause"},
                           {"SCOPE", "scope"},
                           {"CHANGED", "changedFields"}},
                          "nothing was ever changed");
  });
}

int run_registry_rollback(const Context& context) {
  const auto& text = argument(context, 1);
  std::int64_t version = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), version);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size())
    return context.failed(Error{ErrorKind::invalid_input,
                                fmt::format("'{}' is not a version; 'tokenrail registry history' lists them", text)});
  return with_governance(context, [&](Governance& governance) {
    return show_change(context, governance.roll_back(argument(context, 0), version), published);
  });
}

int run_registry_audit(const Context& context) {
  return with_governance(context, [&](Governance& governance) {
    return show_documents(
        context, all_pages([&](const auto& page) { return governance.audit(page); }),
        {{"AT", "at"}, {"BY", "actor"}, {"ACTION", "action"}, {"WHAT", "targetName"}, {"CAUSE", "cause"}},
        "nothing was done yet");
  });
}

}  // namespace tokenrail::cli
