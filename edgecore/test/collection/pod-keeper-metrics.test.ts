import assert from 'node:assert/strict';
import { Registry } from '@hawser/seams/metrics';
import { podKeeperMetrics } from '../../src/pod-keeper-metrics.ts';

describe('Metrics of what keeps a node tidy', () => {
  it('are what was done by the time that somebody asks, and all are there from the start', async () => {
    const registry = new Registry();
    let rotations = 0;
    const pulls = podKeeperMetrics(registry, {
      rotations: () => rotations,
      containers: () => 2,
      images: () => 3,
      imageBytes: () => 4_000,
    });
    const values = async (): Promise<Readonly<Record<string, number>>> =>
      Object.fromEntries(
        (await registry.metrics())
          .split('\n')
          .filter((line) => line !== '' && !line.startsWith('#'))
          .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
      );
    const others = {
      hawser_edge_collected_containers_total: 2,
      hawser_edge_collected_images_total: 3,
      hawser_edge_collected_image_bytes_total: 4_000,
    };
    const pullsOf = (pulled: number, failed: number): object => ({
      'hawser_edge_image_pulls_total{result="pulled"}': pulled,
      'hawser_edge_image_pulls_total{result="failed"}': failed,
      'hawser_edge_image_pulls_total{result="aborted"}': 0,
    });
    assert.deepEqual(await values(), { hawser_edge_log_rotations_total: 0, ...others, ...pullsOf(0, 0) });
    rotations = 5;
    pulls.inc({ result: 'pulled' });
    pulls.inc({ result: 'failed' }, 2);
    assert.deepEqual(await values(), { hawser_edge_log_rotations_total: 5, ...others, ...pullsOf(1, 2) });
    assert.deepEqual(await values(), await values(), 'to ask counts nothing');
  });
});
