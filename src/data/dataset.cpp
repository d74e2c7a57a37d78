#include "thalweg/data/dataset.hpp"

#include <limits>

#include "generators.hpp"
#include "label_noise.hpp"
#include "samples.hpp"
#include "thalweg/core/random.hpp"
#include "thalweg/core/table.hpp"
#include "user_table.hpp"

namespace thalweg {
namespace {

Samples samples_of(const std::vector<Draw>& draws) {
  Samples samples{.x = Matrix(static_cast<Index>(draws.size()), 2), .clean = {}, .label = {}, .fragment = {}};
  for (const Draw& draw : draws) {
    samples.x.row(static_cast<Index>(samples.clean.size())) = draw.x.transpose();
    samples.clean.push_back(draw.clean);
    samples.fragment.push_back(draw.fragment);
  }
  samples.label = samples.clean;
  return samples;
}

Samples drawn(const Law& law, Index count, Stream stream) {
  std::vector<Draw> draws;
  for (Index i = 0; i < count; ++i) draws.push_back(law.draw(i, stream));
  return samples_of(draws);
}

Dataset generated(const Law& law, const DataSpec& spec) {
  require_in_range(spec.samples >= 1, "samples", static_cast<double>(spec.samples), "{1, 2, ...}");
  require_in_range(spec.validation_samples >= 0, "validation_samples", static_cast<double>(spec.validation_samples),
                   "{0, 1, ...}");
  require_in_range(spec.test_samples >= 0, "test_samples", static_cast<double>(spec.test_samples), "{0, 1, ...}");
  const auto points = [&](std::uint64_t split) { return Stream(spec.seed, Purpose::points, split); };
  Dataset data;
  data.train = law.training.empty() ? drawn(law, spec.samples, points(0)) : samples_of(law.training);
  data.validation = drawn(law, spec.validation_samples, points(1));
  data.test = drawn(law, spec.test_samples, points(2));
  data.class_names = {"0", "1"};
  data.feature_names = {"x0", "x1"};
  data.low = law.low;
  data.high = law.high;
  return data;
}

}  // namespace

Samples chosen(const Samples& all, std::span<const Index> rows) {
  Samples part{.x = Matrix(static_cast<Index>(rows.size()), all.x.cols()), .clean = {}, .label = {}, .fragment = {}};
  for (const Index row : rows) {
    const auto i = static_cast<std::size_t>(row);
    part.x.row(static_cast<Index>(part.clean.size())) = all.x.row(row);
    part.clean.push_back(all.clean[i]);
    part.label.push_back(all.label[i]);
    part.fragment.push_back(all.fragment[i]);
  }
  return part;
}

void set_domain_to_points(Dataset& data) {
  data.low = Vector::Constant(data.features(), std::numeric_limits<double>::infinity());
  data.high = -data.low;
  for (const Samples* part : {&data.train, &data.validation, &data.test}) {
    if (part->size() == 0) continue;
    data.low = data.low.cwiseMin(part->x.colwise().minCoeff().transpose());
    data.high = data.high.cwiseMax(part->x.colwise().maxCoeff().transpose());
  }
}

Dataset make_dataset(const DataSpec& spec) {
  const Generator& row = find(generators(), spec.kind, "data.kind");
  if (row.law == nullptr) {
    Dataset data = read_user_table(spec);
    add_label_noise(spec, {}, data);
    return data;
  }
  const Law law = row.law(spec);
  Dataset data = generated(law, spec);
  add_label_noise(spec, law.distance, data);
  return data;
}

}  // namespace thalweg
