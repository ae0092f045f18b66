// `tokenrail connections …` and `tokenrail credentials …`: where models are served, and with which keys. A secret comes
// from a terminal without echo or from standard input, never from an argument. It is sealed before it goes to the
// database; the registry API gets it over TLS and seals it.
#include <iostream>

#include <fmt/format.h>
#include <simdjson.h>
#include <termios.h>
#include <unistd.h>

#include "cli/govern.hpp"
#include "cli/governance.hpp"
#include "common/providers/profile.hpp"

namespace tokenrail::cli {
namespace {

constexpr std::size_t secret_input_max = 32 * 1024;

/// One secret. On a terminal a line, which is asked for and not shown; else all of standard input, or with
/// `one_of_many` a line of it.
Result<Secret> read_secret(const Context& context, const std::string& what, bool one_of_many) {
  const bool terminal = ::isatty(STDIN_FILENO) != 0;
  const bool line = terminal || one_of_many;
  termios before{};
  if (terminal) {
    context.terminal.note(fmt::format("{} (it is not shown):", what));
    ::tcgetattr(STDIN_FILENO, &before);
    auto silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  std::string text;
  text.reserve(secret_input_max + 1);
  for (char c = 0; text.size() <= secret_input_max && std::cin.get(c) && !(line && c == '\n');) text += c;
  if (terminal) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  Secret secret(std::move(text));
  if (secret.empty()) return fail(ErrorKind::invalid_input, fmt::format("no {} came on standard input", what));
  if (secret.size() > secret_input_max)
    return fail(ErrorKind::invalid_input, fmt::format("the {} is longer than 32 KiB", what));
  for (const char c : secret.reveal())
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return fail(ErrorKind::invalid_input, fmt::format("the {} holds a control character or a second line", what));
  return secret;
}

/// The key, and the values of the headers that --headers names: a line each, in that order.
Result<crypto::CredentialText> read_secrets(const Context& context) {
  std::vector<std::string> names;
  const std::string wanted(context.call.value("headers").value_or(""));
  std::string_view rest = wanted;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    names.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  for (const auto& name : names)
    if (!crypto::is_secret_header_name(name))
      return fail(ErrorKind::invalid_input, "--headers has a name that no header with a secret can have");
  crypto::CredentialText read;
  auto key = read_secret(context, "key", !names.empty());
  if (!key) return std::unexpected(std::move(key.error()));
  read.secret = std::move(*key);
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto value = read_secret(context, fmt::format("value of {}", names[i]), i + 1 < names.size());
    if (!value) return std::unexpected(std::move(value.error()));
    read.headers.emplace_back(names[i], std::move(*value));
  }
  return read;
}

/// The credential of that label (or id) and provider in the scope; nothing: there is none that is not revoked. Without
/// a provider the label has to be of one only.
Result<std::optional<registry::Document>> find_credential(Governance& governance, const std::string& label,
                                                          const std::string& provider) {
  auto all = all_pages([&](const auto& page) { return governance.credentials(page); });
  if (!all) return std::unexpected(all.error());
  std::vector<registry::Document> found;
  std::string providers;
  for (auto& document : *all) {
    const auto whose = member_of(document.json, "provider");
    if (!provider.empty() && whose != provider) continue;
    if (!member_of(document.json, "revokedAt").empty()) continue;
    if (document.id == label) return std::move(document);
    if (member_of(document.json, "label") != label) continue;
    providers += (providers.empty() ? "" : ", ") + whose;
    found.push_back(std::move(document));
  }
  if (found.size() > 1)
    return fail(ErrorKind::invalid_input,
                fmt::format("there are credentials {} of several providers ({}): say of which --provider it is", label,
                            providers));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

int put_credential(const Context& context, Governance& governance) {
  const auto& label = context.call.arguments[0];
  const auto provider = context.call.value("provider").value_or("");
  if (const auto able = governance.can_seal(); !able) return context.failed(able.error());
  const auto known = find_credential(governance, label, provider);
  if (!known) return context.failed(known.error());
  if (!*known && provider.empty())
    return context.failed(Error{ErrorKind::invalid_input,
                                fmt::format("there is no credential {} yet: say for which --provider it is", label)});
  const auto secrets = read_secrets(context);
  if (!secrets) return context.failed(secrets.error());
  const auto stored =
      *known ? governance.replace_credential(**known, *secrets) : governance.add_credential(provider, label, *secrets);
  if (!stored) return context.failed(stored.error());
  if (!context.json()) context.terminal.out_line(stored->id);
  return show_change(
      context, stored,
      *known ? "the key was replaced; connections that use it follow"
             : fmt::format("the key is stored; 'tokenrail connections set NAME --credential {}' uses it", label));
}

}  // namespace

int run_credentials_put(const Context& context) {
  return with_governance(context, [&](Governance& governance) { return put_credential(context, governance); });
}

int run_credentials_list(const Context& context) {
  return with_governance(context, [&](Governance& governance) {
    return show_documents(context, all_pages([&](const auto& page) { return governance.credentials(page); }),
                          {{"LABEL", "label"},
                           {"PROVIDER", "provider"},
                           {"LAST 4", "last4"},
                           {"HEADERS", "headerNames"},
                           {"SEALED BY", "keyId"},
                           {"USED BY", "usedBy"},
                           {"CHANGED", "updatedAt"},
                           {"REVOKED", "revokedAt"}},
                          "no credentials yet: 'tokenrail credentials put LABEL --provider NAME' stores one");
  });
}

int run_credentials_revoke(const Context& context) {
  return with_governance(context, [&](Governance& governance) {
    const auto& label = context.call.arguments[0];
    const auto known = find_credential(governance, label, context.call.value("provider").value_or(""));
    if (!known) return context.failed(known.error());
    if (!*known) return context.failed(Error{ErrorKind::not_found, fmt::format("there is no credential {}", label)});
    return show_done(context, governance.revoke_credential((*known)->id, context.call.has("force"), (*known)->version),
                     "the key is revoked; routers drop it");
  });
}

// ---- connections -------------------------------------------------------------------------------------------------

namespace {

/// The fields that the flags set. `credential_id`: of --credential, looked up. A fresh connection goes to the
/// provider's own address where no other is given.
std::string connection_fields(const Context& context, const std::string& provider, const std::string& credential_id,
                              bool fresh) {
  const auto text = [&](std::string_view flag) {
    const auto value = context.call.value(flag);
    return value ? json_text(*value) : std::string();
  };
  auto base_url = text("base-url");
  auto auth_type = text("auth");
  auto auth_name = text("auth-name");
  const auto* profile = providers::find_profile(provider);
  if (fresh && profile != nullptr && base_url.empty() && !profile->base_url.empty())
    base_url = json_text(profile->base_url);
  if (!credential_id.empty() && auth_type.empty()) {
    const auto type = profile != nullptr ? profile->auth : providers::AuthType::bearer;
    auth_type = json_text(providers::name_of(type));
    if (profile != nullptr && auth_name.empty() && !profile->auth_name.empty())
      auth_name = json_text(profile->auth_name);
  }
  std::string enabled;
  if (context.call.has("enable")) enabled = "true";
  if (context.call.has("disable")) enabled = "false";
  const auto sync = context.call.value("sync");
  return object_of({{"baseUrl", base_url},
                    {"authType", auth_type},
                    {"authName", auth_name},
                    {"credentialId", credential_id.empty() ? std::string() : json_text(credential_id)},
                    {"priority", context.call.value("priority").value_or("")},
                    {"weight", context.call.value("weight").value_or("")},
                    {"enabled", enabled},
                    {"syncEnabled", !sync           ? std::string()
                                    : *sync == "on" ? "true"
                                                    : "false"}});
}

Result<std::string> credential_id(const Context& context, Governance& governance, const std::string& provider) {
  const auto label = context.call.value("credential");
  if (!label) return std::string();
  const auto known = find_credential(governance, *label, provider);
  if (!known) return std::unexpected(known.error());
  if (!*known)
    return fail(ErrorKind::not_found, fmt::format("there is no credential {} for {} in this scope", *label, provider));
  return (*known)->id;
}

/// --priority and --weight are put into JSON as they are.
Result<void> check_values(const Context& context) {
  if (const auto sync = context.call.value("sync"); sync && *sync != "on" && *sync != "off")
    return fail(ErrorKind::invalid_input, fmt::format("--sync takes on or off, not '{}'", *sync));
  for (const auto* flag : {"priority", "weight"}) {
    const auto value = context.call.value(flag);
    if (value && (value->empty() || value->find_first_not_of("0123456789") != std::string::npos || value->size() > 7))
      return fail(ErrorKind::invalid_input, fmt::format("--{} takes a whole number, not '{}'", flag, *value));
  }
  return {};
}

int add_connection(const Context& context, Governance& governance, const std::string& provider) {
  const auto credential = credential_id(context, governance, provider);
  if (!credential) return context.failed(credential.error());
  auto fields = connection_fields(context, provider, *credential, true);
  if (member_of(fields, "baseUrl").empty())
    return context.failed(Error{ErrorKind::invalid_input,
                                fmt::format("the provider {} has no address of its own: give --base-url", provider)});
  fields.pop_back();
  fields += fmt::format(R"(,"provider":{},"name":{}}})", json_text(provider), json_text(context.call.arguments[0]));
  return show_change(context, governance.create_connection(fields),
                     "the connection is there; 'tokenrail registry add' puts a model on it");
}

int set_connection(const Context& context, Governance& governance) {
  const auto now = governance.connection(context.call.arguments[0]);
  if (!now) return context.failed(now.error());
  const auto provider = member_of(now->json, "provider");
  const auto credential = credential_id(context, governance, provider);
  if (!credential) return context.failed(credential.error());
  const auto patch = connection_fields(context, provider, *credential, false);
  return show_change(context, governance.change_connection(now->id, patch, now->version),
                     "registry-sync publishes the models that it serves, and routers follow");
}

}  // namespace

int run_connections_list(const Context& context) {
  return with_governance(context, [&](Governance& governance) {
    return show_documents(context, all_pages([&](const auto& page) { return governance.connections(page); }),
                          {{"NAME", "name"},
                           {"SCOPE", "scope"},
                           {"PROVIDER", "provider"},
                           {"BASE URL", "baseUrl"},
                           {"CREDENTIAL", "credential.label"},
                           {"ENABLED", "enabled"},
                           {"HEALTH", "health"},
                           {"REASON", "healthReason"},
                           {"SINCE", "healthSince"}},
                          "no connections yet: 'tokenrail connections add NAME --provider NAME' makes one");
  });
}

int run_connections_add(const Context& context) {
  const auto provider = context.call.value("provider").value_or("");
  if (provider.empty())
    return context.failed(Error{ErrorKind::invalid_input, "say to which --provider the connection goes"});
  if (const auto fine = check_values(context); !fine) return context.failed(fine.error());
  return with_governance(context,
                         [&](Governance& governance) { return add_connection(context, governance, provider); });
}

int run_connections_set(const Context& context) {
  if (const auto fine = check_values(context); !fine) return context.failed(fine.error());
  return with_governance(context, [&](Governance& governance) { return set_connection(context, governance); });
}

int run_connections_remove(const Context& context) {
  return with_governance(context, [&](Governance& governance) {
    return show_done(context,
                     governance.remove_connection(context.call.arguments[0], context.call.has("force"), std::nullopt),
                     "the connection is gone, and its models are not served by it any more");
  });
}

}  // namespace tokenrail::cli
