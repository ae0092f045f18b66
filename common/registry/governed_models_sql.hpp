// The statements of governed_models: the effective model of a scope as rows and as documents. Private to this module's
// .cpp files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/registry/governed_models.hpp"

namespace tokenrail::registry {

enum class Seen {
  all,       ///< of both
  platform,  ///< the platform's, the scope's own over them: in the order of an index
  own,       ///< the scope's own without a platform's row under them: few
};

/// Rows `e` of the models that the scope (@org, @owner) sees, each the platform's row with the scope's own over it.
/// `narrow`: a condition on both rows (`m`) that keeps what is read small; "true" reads all.
[[nodiscard]] std::string effective_models(const std::string& narrow, Seen rows);

/// Rows of models that `name` (SQL) may mean in the scope (an id, a slug, provider/name), each found by an index: id,
/// provider, model_name, org_id, owner_user_id and `rank`, the best first by rank and then by the nearest scope.
[[nodiscard]] std::string named_models(const std::string& name = "@name");
/// Joins to a model `n` (provider, model_name) the platform's row `p` and the scope's own row `o`.
inline constexpr const char* rows_of_named_models =
    "LEFT JOIN model p ON p.org_id IS NULL AND p.deleted_at IS NULL AND p.provider = n.provider AND p.model_name = "
    "n.model_name LEFT JOIN model o ON o.org_id = @org AND o.owner_user_id IS NOT DISTINCT FROM @owner AND "
    "o.deleted_at IS NULL AND o.provider = n.provider AND o.model_name = n.model_name";

/// id, version and document of effective models; to be followed by a condition over `e`.
[[nodiscard]] std::string effective_documents(const std::string& narrow);

/// Provider and model name of a page of them, in order: behind (@after_key, @after_id), @limit at most. Columns:
/// provider, model_name, place (the key as text), row_id. An index serves the order by name; others read all models.
/// `narrow`: as of effective_models().
[[nodiscard]] std::string effective_page(const std::string& narrow, const std::string& condition, ModelOrder order);
/// The same order over `e` of documents.
[[nodiscard]] std::string order_of_documents(ModelOrder order);
/// How many there are. `condition` empty: no filter, which an index answers.
[[nodiscard]] std::string effective_count(const std::string& narrow, const std::string& condition);
/// For `narrow`: the models whose [provider, model name] @@page lists.
[[nodiscard]] std::string named_in_page();
/// More models than that pass a filter: reading all is sooner than finding each. Migration 0027 has the same number.
inline constexpr std::int64_t many_models = 5'000;
/// Names of the models with the filter's tags, and of those with its search, by an index: at most one more than
/// many_models of the platform. A table for FROM; empty: the filter has none.
[[nodiscard]] std::string models_tagged(const ModelFilter& filter);
[[nodiscard]] std::string models_like(const ModelFilter& filter);
/// For `narrow`: the models of a filter that an index finds. It leaves out no model that the filter shows, if neither
/// its tags nor its search have more than many_models.
[[nodiscard]] std::string narrowed_by(const ModelFilter& filter);

/// How what belongs to models is read: deployments, prices.
enum class Reads {
  single,  ///< of each model by an index: for few models
  whole,   ///< as a set, once: for many, where each by itself would cost more than all at once
};

/// The status of `e`, as a value: active, disabled, …
[[nodiscard]] std::string status_of_models(Reads reads);

/// The condition over `e` of a filter whose arguments add_filter() adds. `narrowed`: only over models that
/// narrowed_by() lets in, where a platform's row that nothing is set over need not be looked at for its capabilities
/// again.
[[nodiscard]] std::string filter_condition(const ModelFilter& filter, Reads reads, bool narrowed);
/// The same of a view's filter, whose arguments have names of their own; models that are pinned pass.
[[nodiscard]] std::string view_condition(const ModelFilter& filter, Reads reads);

/// A condition: `called` is, at one server, another name of the model that `name` (SQL) calls, or that name. As
/// BlockedUpstreams compares them.
[[nodiscard]] std::string is_same_upstream(std::string_view called, std::string_view name);

/// One document that counts the scope's models by provider, kind, status and capability.
[[nodiscard]] std::string statistics_of_models();

}  // namespace tokenrail::registry
