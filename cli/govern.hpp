// What the commands that govern the registry share: who acts, whose rows, and how rows are shown. See
// common/registry/governed_database.hpp.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/context.hpp"
#include "common/registry/actor.hpp"
#include "common/registry/document.hpp"
#include "common/registry/governed_database.hpp"

namespace tokenrail::cli {

class Governance;

/// The commands of this kind, with what runs each.
[[nodiscard]] std::span<const Command> governing_commands();
struct Governing {
  std::string_view path;
  int (*run)(const Context&);
};
[[nodiscard]] std::span<const Governing> governing_runs();
/// Those of them for connections and credentials.
[[nodiscard]] std::span<const Command> connection_commands();
[[nodiscard]] std::span<const Governing> connection_runs();

/// The user of this machine, who has the database's URL and so may do everything. With --dry-run nothing stays.
[[nodiscard]] registry::Actor actor_of(const Context& context);

/// --org, else the platform.
[[nodiscard]] registry::Scope scope_of(const Context& context);

/// A member of a document by its path ("credential.last4") as text; empty: it is not there, or null. Lists are joined
/// by commas.
[[nodiscard]] std::string member_of(std::string_view json, std::string_view path);

/// The elements of a list in a document, by its path; none where it is not there.
[[nodiscard]] std::vector<std::string> elements_of(std::string_view json, std::string_view path);

/// The members of an object in a document, by its path, each as text; none where it is not there.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> members_of(std::string_view json, std::string_view path);

/// All pages of a list.
template <class List>
Result<std::vector<registry::Document>> all_pages(List&& list) {
  std::vector<registry::Document> all;
  registry::PageRequest request{.count_max = 500, .counted = false};
  do {
    auto page = list(request);
    if (!page) return std::unexpected(page.error());
    for (auto& item : page->items) all.push_back(std::move(item));
    request.after = page->next;
  } while (!request.after.empty());
  return all;
}

/// Opens what the settings name and does `work` with it; see governance.hpp.
int with_governance(const Context& context, const std::function<int(Governance&)>& work);

/// Rows as a table with these columns (title, path), or with --json as a line each. `none`: said where there are none.
int show_documents(const Context& context, const Result<std::vector<registry::Document>>& documents,
                   std::initializer_list<std::pair<const char*, const char*>> columns, std::string_view none);

/// One row: its members, a line each, or with --json as one line.
int show_document(const Context& context, const Result<registry::Document>& document);

/// What a change came to. `said`: a note for people.
int show_change(const Context& context, const Result<registry::Document>& document, std::string_view said);
int show_done(const Context& context, const Result<void>& result, std::string_view said);

/// A JSON object out of names and values; each value is JSON already.
[[nodiscard]] std::string object_of(std::initializer_list<std::pair<std::string_view, std::string>> members);
[[nodiscard]] std::string json_text(std::string_view text);

}  // namespace tokenrail::cli
