// Which rights on Kafka each program needs, as Kafka's own ACLs. One table: `tokenrail topics acls` prints it, the page
// docs/how-to/secure.md shows it, and an integration test runs every program with exactly these rights and takes each
// away once. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"

namespace tokenrail::cli {

/// One right. DESCRIBE comes with READ, WRITE and ALTER, DESCRIBE_CONFIGS with ALTER_CONFIGS; what another right
/// implies is not listed.
struct Acl {
  enum class Resource { topic, group };
  Resource resource = Resource::topic;
  std::string name{};  ///< with the topic prefix; a group's id
  std::string_view operation{};
  std::string_view reason{};
};

/// "topic", as Kafka's own tools call it.
[[nodiscard]] std::string_view name_of(Acl::Resource resource);

struct AclNames {
  std::string prefix{};
  std::string group = "tokenrail-router";  ///< the routers' consumer group
};

/// A program or a kind of client, as `--program` names it.
struct AclProgram {
  std::string_view name{};
  std::string_view summary{};
};
[[nodiscard]] std::span<const AclProgram> acl_programs();

/// In the order of the table. Errors: invalid_input for a program that is not in it; the message lists those that are.
[[nodiscard]] Result<std::vector<Acl>> acls_of(std::string_view program, const AclNames& names);

/// A call of Kafka's own `kafka-acls.sh` for each resource, ready to be run by an operator.
[[nodiscard]] std::vector<std::string> acl_commands(const std::vector<Acl>& acls, std::string_view principal,
                                                    std::string_view bootstrap_servers);

}  // namespace tokenrail::cli
