#include "cli/verify/subjects.hpp"

#include <algorithm>
#include <utility>

namespace tokenrail::verify {
namespace {

constexpr std::size_t sweep_subjects_min = 10'000;

std::string name_of(const std::string& org_id, const std::string& request_id) {
  return org_id + '\0' + request_id;
}

}  // namespace

Subjects::Subjects(std::size_t settled_max) : settled_max_(settled_max), sweep_at_(sweep_subjects_min) {}

Subject& Subjects::of(const std::string& org_id, const std::string& request_id) {
  const auto [it, fresh] = subjects_.try_emplace(name_of(org_id, request_id));
  if (fresh) {
    it->second.org_id = org_id;
    it->second.request_id = request_id;
  }
  return it->second;
}

Subject* Subjects::find(const std::string& org_id, const std::string& request_id) {
  const auto it = subjects_.find(name_of(org_id, request_id));
  return it == subjects_.end() ? nullptr : &it->second;
}

Subject* Subjects::at(std::int64_t source_offset) const {
  const auto it = by_offset_.find(source_offset);
  return it == by_offset_.end() ? nullptr : it->second;
}

void Subjects::unsettle(Subject& about) {
  if (!about.place) return;
  settled_.erase(*about.place);
  about.place.reset();
}

void Subjects::touch(Subject& about) {
  unsettle(about);
  if (rules_.settled(about)) {
    about.place = settled_.insert(settled_.end(), &about);
    if (settled_.size() > settled_max_) forget_oldest();
  }
  if (subjects_.size() >= sweep_at_) sweep();
}

void Subjects::forget_oldest() {
  auto& oldest = *settled_.front();
  settled_.pop_front();
  rules_.forgetting(oldest);
  for (const auto& [offset, entry] : oldest.asked) {
    if (const auto it = by_offset_.find(offset); it != by_offset_.end() && it->second == &oldest) by_offset_.erase(it);
  }
  forgot_any_ = true;
  subjects_.erase(name_of(oldest.org_id, oldest.request_id));
}

// What was lost with the start of a log settles a request without any further record of it.
void Subjects::sweep() {
  for (auto& [name, about] : subjects_) {
    if (!about.place && rules_.settled(about)) about.place = settled_.insert(settled_.end(), &about);
  }
  while (settled_.size() > settled_max_) forget_oldest();
  sweep_at_ = std::max(sweep_subjects_min, subjects_.size() * 2);
}

std::vector<const Subject*> Subjects::in_order() const {
  std::vector<const Subject*> all;
  for (const auto& [name, about] : subjects_) all.push_back(&about);
  const auto place = [](const Subject* about) {
    const auto first = about->asked.empty() ? -1 : about->asked.begin()->first;
    return std::pair(first, about->request_id);
  };
  std::ranges::sort(all, {}, place);
  return all;
}

}  // namespace tokenrail::verify
