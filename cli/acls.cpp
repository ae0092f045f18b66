#include "cli/acls.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "common/topics/names.hpp"

namespace tokenrail::cli {
namespace {

constexpr std::array programs{
    AclProgram{.name = "router", .summary = "tokenrail-router"},
    AclProgram{.name = "registry-sync", .summary = "tokenrail-registry-sync"},
    AclProgram{.name = "registry-api",
               .summary = "tokenrail-registry-api, where people may ask models on its web page"},
    AclProgram{.name = "operator", .summary = "who runs topics apply, topics check, doctor and verify"},
    AclProgram{.name = "chat", .summary = "tokenrail chat, and services that ask and read their answers"},
    AclProgram{.name = "sender", .summary = "services that ask and cancel"},
    AclProgram{.name = "reader", .summary = "services that read answers (tokenrail tail)"},
    AclProgram{.name = "auditor", .summary = "services that read the audit log and the dead letters"},
};

struct Row {
  std::string_view program;
  Acl::Resource resource;
  std::string_view name;  // of a topic: without the prefix; of a group: empty, the routers' own
  std::string_view operation;
  std::string_view reason;
};

using enum Acl::Resource;
constexpr std::array rows{
    Row{"router", group, "", "Read", "join the group and commit"},
    Row{"router", topic, "chat.requests", "Read", "take requests"},
    Row{"router", topic, "chat.requests", "DescribeConfigs", "check the topic's limits"},
    Row{"router", topic, "chat.chunks", "Write", "publish answers"},
    Row{"router", topic, "chat.chunks", "Read", "recover what another router began"},
    Row{"router", topic, "chat.chunks", "DescribeConfigs", "check the topic's limits"},
    Row{"router", topic, "llm.audit", "Write", "record every call"},
    Row{"router", topic, "llm.audit", "Read", "know what counts"},
    Row{"router", topic, "llm.audit", "DescribeConfigs", "check the topic's limits"},
    Row{"router", topic, "chat.requests.dlq", "Write", "set aside what cannot be answered"},
    Row{"router", topic, "chat.requests.dlq", "DescribeConfigs", "check the topic's limits"},
    Row{"router", topic, "chat.cancellations", "Read", "end requests that were cancelled"},
    Row{"router", topic, "chat.cancellations", "DescribeConfigs", "check the topic's limits"},
    Row{"router", topic, "model_registry", "Read", "know the models"},
    Row{"router", topic, "model_registry", "DescribeConfigs", "check the topic's limits"},
    Row{"router", topic, "model_registry.credentials", "Read", "open credentials for calls"},

    Row{"registry-sync", topic, "model_registry", "Write", "publish the registry"},
    Row{"registry-sync", topic, "model_registry", "Read", "compare it with the database"},
    Row{"registry-sync", topic, "model_registry.events", "Write", "publish the history"},
    Row{"registry-sync", topic, "model_registry.credentials", "Write", "publish sealed credentials"},
    Row{"registry-sync", topic, "model_registry.credentials", "Read", "compare them with the database"},

    Row{"registry-api", topic, "model_registry", "Read", "explain what routers would do"},
    Row{"registry-api", topic, "chat.requests", "Write", "ask"},
    Row{"registry-api", topic, "chat.cancellations", "Write", "cancel"},
    Row{"registry-api", topic, "chat.chunks", "Read", "read answers"},

    Row{"chat", topic, "chat.requests", "Write", "ask"},
    Row{"chat", topic, "chat.cancellations", "Write", "cancel"},
    Row{"chat", topic, "chat.chunks", "Read", "read answers"},

    Row{"sender", topic, "chat.requests", "Write", "ask"},
    Row{"sender", topic, "chat.cancellations", "Write", "cancel"},

    Row{"reader", topic, "chat.chunks", "Read", "read answers"},

    Row{"auditor", topic, "llm.audit", "Read", "read the audit log"},
    Row{"auditor", topic, "chat.requests.dlq", "Read", "read the dead letters"},
};

std::vector<Row> operator_rows() {
  static const auto topics = topics::Names().all();
  std::vector<Row> all;
  for (const std::string_view name : topics) {
    all.push_back({"operator", topic, name, "Create", "make the topic"});
    all.push_back({"operator", topic, name, "Alter", "add partitions"});
    all.push_back({"operator", topic, name, "AlterConfigs", "compare and change settings"});
    all.push_back({"operator", topic, name, "Read", "look at records (topics tail, verify, doctor)"});
  }
  all.push_back({"operator", group, "", "Describe", "see whether routers are there and what they have committed"});
  return all;
}

// For a shell. Names of topics and groups need it seldom, principals of certificates (User:CN=…,O=…) often.
std::string quoted(std::string_view text) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:,@%+=/-";
  if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos) return std::string(text);
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::string_view name_of(Acl::Resource resource) {
  return resource == topic ? "topic" : "group";
}

std::span<const AclProgram> acl_programs() {
  return programs;
}

Result<std::vector<Acl>> acls_of(std::string_view program, const AclNames& names) {
  if (std::ranges::find(programs, program, &AclProgram::name) == programs.end()) {
    std::string known;
    for (const auto& one : programs) known += fmt::format("{}{}", known.empty() ? "" : ", ", one.name);
    return fail(ErrorKind::invalid_input,
                fmt::format("--program {}: there is no such program; one of {} is needed", program, known));
  }
  std::vector<Acl> all;
  const auto add = [&](const Row& row) {
    if (row.program != program) return;
    all.push_back({.resource = row.resource,
                   .name = row.resource == topic ? names.prefix + std::string(row.name) : names.group,
                   .operation = row.operation,
                   .reason = row.reason});
  };
  std::ranges::for_each(rows, add);
  std::ranges::for_each(operator_rows(), add);
  return all;
}

std::vector<std::string> acl_commands(const std::vector<Acl>& acls, std::string_view principal,
                                      std::string_view bootstrap_servers) {
  std::vector<std::pair<std::pair<Acl::Resource, std::string>, std::string>> by_resource;
  for (const auto& acl : acls) {
    const std::pair key{acl.resource, acl.name};
    auto it = std::ranges::find(by_resource, key, [](const auto& entry) { return entry.first; });
    if (it == by_resource.end()) it = by_resource.insert(by_resource.end(), {key, {}});
    it->second += fmt::format(" --operation {}", acl.operation);
  }
  std::vector<std::string> commands;
  commands.reserve(by_resource.size());
  for (const auto& [resource, operations] : by_resource) {
    commands.push_back(fmt::format(
        "kafka-acls.sh --bootstrap-server {} --command-config admin.properties --add --allow-principal {}{} --{} {}",
        quoted(bootstrap_servers), quoted(principal), operations, name_of(resource.first), quoted(resource.second)));
  }
  return commands;
}

}  // namespace tokenrail::cli
