import { providerDefinitions } from '../../../src/compute/registry.ts';

const withValues = providerDefinitions.filter(({ secrets }) => secrets === 'values');

/** templates/_helpers.tpl: names, and what the rights follow of the config. */
export function helpers(): string {
  const readers = withValues.map(({ name }) => `(hasKey $compute ${JSON.stringify(name)})`).join(' ');
  return `{{- define "landlord.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains "landlord" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-landlord" (.Release.Name | trunc 31 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "landlord.labels" -}}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{- /* The operator's config, once it is seen to be YAML. */ -}}
{{- define "landlord.config" -}}
{{- $config := fromYaml .Values.config -}}
{{- if $config.Error -}}
{{- fail (printf "config: is not YAML: %s" $config.Error) -}}
{{- end -}}
{{- .Values.config -}}
{{- end -}}

{{- /* As kustomize names it, whose hash is over an empty name: another config is another name, and rolls the pods. */ -}}
{{- define "landlord.configName" -}}
{{- $name := printf "%s-config" (include "landlord.fullname" .) -}}
{{- $data := dict "landlord.yaml" .Values.config -}}
{{- $hash := dict "data" $data "kind" "ConfigMap" "name" "" | toJson | sha256sum | trunc 10 -}}
{{- printf "%s-%s" $name ($hash | replace "0" "g" | replace "1" "h" | replace "3" "k" | replace "a" "m" | replace "e" "t") -}}
{{- end -}}

{{- /* The namespaces to watch, as a list in JSON; an empty one is all. */ -}}
{{- define "landlord.namespaces" -}}
{{- $controller := (include "landlord.config" . | fromYaml).controller | default dict -}}
{{- $namespaces := $controller.namespaces | default list -}}
{{- if $controller.own_namespace -}}
{{- $namespaces = append $namespaces .Release.Namespace -}}
{{- end -}}
{{- $namespaces | uniq | toJson -}}
{{- end -}}

{{- /* Something where a provider needs the values of Secrets. */ -}}
{{- define "landlord.readsSecrets" -}}
{{- $compute := (include "landlord.config" . | fromYaml).compute | default dict -}}
{{- if or ${readers} -}}
true
{{- end -}}
{{- end -}}

{{- define "landlord.clusterId" -}}
{{- (include "landlord.config" . | fromYaml).cluster_id | default "" -}}
{{- end -}}

{{- define "landlord.leaseName" -}}
{{- ((include "landlord.config" . | fromYaml).leader_election | default dict).name | default "landlord" -}}
{{- end -}}

{{- /* Something where policy selects namespaces by their labels. */ -}}
{{- define "landlord.selectsNamespaces" -}}
{{- range ((include "landlord.config" . | fromYaml).policy | default dict).namespaces -}}
{{- .selector | default "" -}}
{{- end -}}
{{- end -}}

{{- /* Values that can't be meant together. */ -}}
{{- define "landlord.check" -}}
{{- $config := include "landlord.config" . | fromYaml -}}
{{- if and (gt (int .Values.replicas) 1) (not ($config.leader_election | default dict).enabled) -}}
{{- fail "replicas: more than one needs leader_election.enabled in config, or all of them work at once" -}}
{{- end -}}
{{- if and .Values.docker.socket.enabled (not (hasKey ($config.compute | default dict) "docker")) -}}
{{- fail "docker.socket.enabled: config has no compute.docker, which enables the provider" -}}
{{- end -}}
{{- end -}}
`;
}

/** templates/NOTES.txt: what Helm says in the end. */
export const notes = `Landlord {{ .Chart.AppVersion }} is in the namespace {{ .Release.Namespace }}:

  kubectl -n {{ .Release.Namespace }} rollout status deployment/{{ include "landlord.fullname" . }}
  kubectl get tenants -A
{{- if .Values.docker.socket.enabled }}

It runs on the node with the label landlord.dev/docker-engine=true, and its namespace has to allow that:

  kubectl label namespace {{ .Release.Namespace }} pod-security.kubernetes.io/enforce=privileged --overwrite
{{- end }}
{{- if .Values.crds.enabled }}

The CRD, and with it all Tenants, stays when this release is uninstalled.
{{- end }}
`;
