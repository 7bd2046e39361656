#include "telemetry/metrics_page.hpp"

#include <algorithm>
#include <stdexcept>
#include <unordered_map>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace um {
namespace {

bool is_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':';
  };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::ranges::all_of(name, allowed);
}

void require(bool condition, std::string_view name, const char* what) {
  if (!condition) throw std::logic_error("metric " + std::string{name} + ": " + what);
}

}  // namespace

class MetricsPage::Impl {
 public:
  prometheus::ClientMetric& add(Metric metric, prometheus::MetricType type, const Labels& labels) {
    auto& family = find_family(metric, type);
    prometheus::ClientMetric added;
    for (const auto& [name, value] : labels) {
      require(is_name(name) && name.find(':') == std::string::npos && name != "le", metric.name,
              "a label's name is not allowed");
      added.label.push_back({name, value});
    }
    const auto same =
        std::ranges::find(family.metric, added.label, &prometheus::ClientMetric::label);
    require(same == family.metric.end(), metric.name, "the same labels twice");
    return family.metric.emplace_back(std::move(added));
  }

  const std::vector<prometheus::MetricFamily>& families() const { return families_; }

 private:
  prometheus::MetricFamily& find_family(Metric metric, prometheus::MetricType type) {
    const auto [it, is_new] = index_.try_emplace(std::string{metric.name}, families_.size());
    if (is_new) {
      require(is_name(metric.name), metric.name, "the name is not allowed");
      families_.push_back({std::string{metric.name}, std::string{metric.help}, type, {}});
    }
    require(families_[it->second].type == type, metric.name, "two types");
    return families_[it->second];
  }

  std::vector<prometheus::MetricFamily> families_;
  std::unordered_map<std::string, std::size_t> index_;
};

MetricsPage::MetricsPage() : impl_{std::make_unique<Impl>()} {}
MetricsPage::~MetricsPage() = default;

void MetricsPage::counter(Metric metric, Labels labels, double value) {
  impl_->add(metric, prometheus::MetricType::Counter, labels).counter.value = value;
}

void MetricsPage::gauge(Metric metric, Labels labels, double value) {
  impl_->add(metric, prometheus::MetricType::Gauge, labels).gauge.value = value;
}

void MetricsPage::histogram(Metric metric, Labels labels, const Histogram& value) {
  require(value.counts.size() == value.upper_bounds.size() + 1, metric.name,
          "counts and bounds differ");
  require(std::ranges::is_sorted(value.upper_bounds), metric.name, "the bounds are not ascending");
  auto& out = impl_->add(metric, prometheus::MetricType::Histogram, labels).histogram;
  for (std::size_t i = 0; i < value.counts.size(); ++i) {
    out.sample_count += value.counts[i];
    const bool last = i == value.upper_bounds.size();  // the serializer adds le="+Inf" by itself
    if (!last) out.bucket.push_back({out.sample_count, value.upper_bounds[i]});
  }
  out.sample_sum = value.sum;
}

void MetricsPage::add(std::span<const PublishedNumber> numbers) {
  for (const PublishedNumber& number : numbers) {
    const std::string name = "user_manager_" + std::string{number.text.name};
    const Metric metric{.name = name, .help = number.text.help};
    Labels labels;
    for (const MetricLabel& label : number.labels) labels.emplace_back(label.name, label.value);
    const auto value = static_cast<double>(number.value);
    if (number.kind == MetricKind::counter)
      counter(metric, std::move(labels), value);
    else
      gauge(metric, std::move(labels), value);
  }
}

std::string MetricsPage::text() const {
  return prometheus::TextSerializer{}.Serialize(impl_->families());
}

}  // namespace um
