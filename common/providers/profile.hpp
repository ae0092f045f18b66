// The providers that are known by name, as data: how people call them, which wire format they speak, where they are and
// how they want their key. A provider that is not in the table can still be used through a connection that says all of
// this itself. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/providers/target.hpp"

namespace tokenrail::providers {

struct Profile {
  std::string_view provider;  ///< as models name it: "groq"
  std::string_view title;     ///< as messages name it: "Groq"
  std::string_view adapter;   ///< see Provider::adapter()
  std::string_view base_url;  ///< where the provider itself is; empty: there is no such place (a server of one's own)
  AuthType auth = AuthType::bearer;
  std::string_view auth_name{};     ///< of the header, where `auth` is header
  std::string_view key_variable{};  ///< environment variable that holds a key
  std::string_view url_variable{};  ///< environment variable that holds another base URL
  bool key_needed = true;           ///< false: the key may be left out
  std::string_view implied_tag{};   ///< that its servers add to a model's name without a tag, and so do people
};

[[nodiscard]] std::span<const Profile> profiles();
/// Null: not known.
[[nodiscard]] const Profile* find_profile(std::string_view provider);
/// By provider: Profile::implied_tag, of those that have one.
[[nodiscard]] std::map<std::string, std::string, std::less<>> implied_tags();
/// The title, or the name itself of a provider that is not in the table.
[[nodiscard]] std::string_view title_of(std::string_view provider);

}  // namespace tokenrail::providers
