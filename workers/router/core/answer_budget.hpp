// Bytes that answers of providers take in memory, over the whole router: unfinished lines, answers that are not
// streamed, what is gathered of them. One bound for all; each answer has its own besides (options.hpp). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tokenrail::router {

class AnswerBudget {
 public:
  /// What holds bytes of one answer. Holds none when it is destroyed.
  class Holder {
   public:
    [[nodiscard]] std::size_t held_bytes() const { return bytes_; }

   protected:
    /// `owner`: the organisation whose answer it is.
    explicit Holder(std::string owner) : owner_(std::move(owner)) {}
    ~Holder() = default;

   private:
    friend class AnswerBudget;
    std::string owner_;
    std::size_t bytes_ = 0;
    std::size_t place_ = 0;  ///< in holders_, where it holds any
  };

  explicit AnswerBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// `holder` holds `bytes` from now on. Takes no time where nothing changed, which is the case of a stream of short
  /// lines.
  void hold(Holder& holder, std::size_t bytes) {
    if (bytes == holder.bytes_) return;
    if (holder.bytes_ == 0) {
      holder.place_ = holders_.size();
      holders_.push_back(&holder);
    } else if (bytes == 0) {
      holders_.back()->place_ = holder.place_;
      holders_[holder.place_] = holders_.back();
      holders_.pop_back();
    }
    bytes_ = bytes_ - holder.bytes_ + bytes;
    holder.bytes_ = bytes;
  }

  /// Whose answer has to end, since all together are over the bound; null: they are not. The largest of the
  /// organisation that holds the most: many small answers of one do not end the only one of another.
  [[nodiscard]] Holder* one_too_many() const {
    if (bytes_ <= bytes_max_) return nullptr;
    std::unordered_map<std::string_view, std::size_t> by_owner;
    for (const auto* const holder : holders_) by_owner[holder->owner_] += holder->bytes_;
    const auto rank = [&](const Holder& holder) { return std::pair(by_owner[holder.owner_], holder.bytes_); };
    Holder* most = nullptr;
    for (auto* const holder : holders_)
      if (most == nullptr || rank(*holder) > rank(*most)) most = holder;
    return most;
  }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t bytes_max() const { return bytes_max_; }

 private:
  const std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::vector<Holder*> holders_{};
};

}  // namespace tokenrail::router
