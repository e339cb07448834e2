import { pythonEnvironment } from './python-environment.ts';

/** What is installed, dependencies included, so that it is the same everywhere and always. */
const pinnedPackages = [
  'ministack==1.5.33 docker==7.2.0 moto==5.2.5 Flask==3.1.3 flask-cors==6.0.5 microburst==0.10.0',
  // What these need.
  'aiohappyeyeballs==2.7.1 aiohttp==3.14.5 aiosignal==1.4.0 attrs==26.1.0 blinker==1.9.0 boto3==1.43.106',
  'botocore==1.43.106 certifi==2026.10.18 cffi==2.1.1 charset-normalizer==3.5.2 click==8.5.1 cryptography==50.0.2',
  'defusedxml==0.7.1 frozenlist==1.8.0 graphql-core==3.2.12 h11==0.16.0 h2==4.4.1 hpack==4.2.0 Hypercorn==0.18.0',
  'hyperframe==6.1.0 idna==3.20 itsdangerous==2.2.0 Jinja2==3.1.6 jmespath==1.1.0 jsonata-python==0.7.1',
  'MarkupSafe==3.0.4 multidict==7.2.1 priority==2.0.0 propcache==0.5.4 pycparser==3.12 python-dateutil==2.9.0.post0',
  'PyYAML==6.0.3 requests==2.34.2 responses==0.26.3 s3transfer==0.19.3 six==1.17.0 typing_extensions==4.16.0',
  'urllib3==2.8.0 Werkzeug==3.1.9 wsproto==1.3.2 xmltodict==1.0.4 yarl==1.25.1',
].flatMap((line) => line.split(' '));

/** The Python interpreter of a virtual environment that holds ministack, moto and microburst, for `-m TOOL`. */
export async function pythonTools(): Promise<string> {
  return pythonEnvironment({
    name: 'python-tools',
    pins: pinnedPackages,
    minimum: '3.10',
    title: 'installing ministack, moto and microburst from PyPI (about 40 s the first time)',
  });
}
